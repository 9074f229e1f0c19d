"""Rows for tests of a worker: any number, of one shape, each with its own picture."""

from collections.abc import Sequence
from pathlib import Path

from tests.support.cli import CLI, row, write_jsonl
from tests.support.pictures import photo

#: What the model of `tests.support.faulty` breaks at.
KILL, HANG, FAIL = "Kill the worker.", "Hang.", "Fail."


def send(cli: CLI, instructions: Sequence[str], *options: object, images: Sequence[str] = ()) -> None:
    """Submit one row per instruction into the run folder `r`; pictures are made, and named by number unless named."""
    names = images or [f"{number}.png" for number in range(len(instructions))]
    for name in names:
        if not (cli.folder / name).exists():
            photo("coffee", 300, 200, cli.folder / name)
    rows = [row(name, instruction) for name, instruction in zip(names, instructions, strict=True)]
    write_jsonl(cli.folder / "in.jsonl", rows)
    done = cli("submit", "in.jsonl", "--run-dir", "r", *options)
    assert done.returncode == 0, done.stderr


def pictures(folder: Path) -> list[str]:
    """Name every file among a run's pictures, hidden ones, too."""
    return sorted(path.name for path in folder.glob("r/sample_*/*"))
