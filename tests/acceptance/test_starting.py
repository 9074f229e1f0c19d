"""A worker's start: compiled before the first row, from a cache the second time, or refused in one sentence."""

from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Start
from tests.support.by_hand import waiting
from tests.support.cli import CLI, row, write_jsonl
from tests.support.debian import require_compiler
from tests.support.pictures import photo
from tests.support.workers import WorkerProcess
from worker.contract.outcomes import open_redis

SQUARE = (256, 256)

NO_COMPILER = (
    "FLEET_PROFILE=exact needs a compiler (no-such-compiler; in Debian: apt-get install g++); FLEET_PROFILE=reference"
    " works here."
)


def edit(cli: CLI, run: str, size: tuple[int, int]) -> bytes:
    """Send one photograph of this size through the fleet; return the pixels that come back."""
    photo("coffee", *size, cli.folder / f"{run}.png")
    write_jsonl(cli.folder / f"{run}.jsonl", [row(f"{run}.png", "Make it red.")])
    sent = cli("submit", f"{run}.jsonl", "--run-dir", run, "--steps", 2)
    assert sent.returncode == 0, sent.stderr
    collected = cli("collect", run)
    assert collected.returncode == 0, collected.stderr
    with Image.open(cli.folder / run / "sample_0" / "sample_0_0.png") as edited:
        return edited.tobytes()


def place(worker: WorkerProcess, text: str) -> int:
    """Return where in the log a line holds the text."""
    return next(number for number, line in enumerate(worker.lines()) if text in line)


def kernels(folder: Path) -> set[Path]:
    """Return the compiled kernels of a cache."""
    return {path.relative_to(folder) for path in folder.rglob("*.so")}


def test_a_second_start_compiles_nothing_anew(cli: CLI, start: Start, tmp_path: Path) -> None:
    """What is asked for is compiled before the first row, and once for every start."""
    require_compiler()
    cache = tmp_path / "kernels"
    # diffusers chooses it as it does cuDNN's, in a way that torch keeps nothing of unless it is told to.
    kept = {"attention": "_native_math", "compile_cache": cache}
    settings = {"profile": "exact", "batch_size": 1, "warm_up": "256x256", **kept}

    first = start("first", **settings)
    first.wait_until_ready()
    assert place(first, "compiled for 256x256, 1 at a time, in ") < place(first, "model ready: demo after ")
    assert " s (libraries and weights " in first.lines()[place(first, "model ready")]
    assert kernels(cache)
    assert any((cache / "aotautograd").iterdir()), "what was traced is kept, too"
    square = edit(cli, "square", SQUARE)
    assert first.stop() == 0
    assert [line for line in first.lines() if "compiling for" in line and "256x256" not in line] == []

    built = kernels(cache)
    second = start("second", **settings)
    second.wait_until_ready()
    assert edit(cli, "square-again", SQUARE) == square
    assert second.stop() == 0
    assert kernels(cache) == built


@pytest.mark.parametrize(
    ("settings", "variables", "sentence"),
    [
        # As the doctor says, who asks in the same words: tests/integration/producer/test_doctor.py.
        pytest.param(
            {"profile": "exact"},
            {"CXX": "no-such-compiler", "CUDA_VISIBLE_DEVICES": ""},
            NO_COMPILER,
            marks=pytest.mark.thorough,
        ),
        (
            {"warm_up": "1000x1000"},
            {},
            "FLEET_WARM_UP: 1000x1000 is no resolution of demo; there are 160x384, 176x368,",
        ),
        ({"profile": "quick"}, {}, "FLEET_PROFILE: input should be 'reference', 'exact' or 'fast' (found 'quick')."),
        ({"attention": "sage_9"}, {}, "FLEET_ATTENTION=sage_9 cannot be used here ("),
        ({"compile": True, "compile_cache": "/dev/null/kernels"}, {}, "Compiled kernels cannot be kept in /dev/null/"),
        # A compiler that is there, and fails.
        (
            {"profile": "exact"},
            {"CXX": "false", "CUDA_VISIBLE_DEVICES": ""},
            "The model cannot be compiled and run at 256x256 (",
        ),
    ],
)
def test_a_profile_that_cannot_be_is_refused_before_a_row_is_taken(
    *,
    cli: CLI,
    start: Start,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, object],
    variables: dict[str, str],
    sentence: str,
) -> None:
    """One sentence, exit code 1, no traceback, and the row is still in the queue."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    photo("coffee", *SQUARE, cli.folder / "a.png")
    write_jsonl(cli.folder / "in.jsonl", [row("a.png", "Make it red.")])
    assert cli("submit", "in.jsonl", "--run-dir", "r", "--detach").returncode == 0
    # Libraries read such variables while they are imported.
    worker = start("w0", fresh=bool(variables), **{"compile_cache": cli.folder / "kernels", **settings})
    assert worker.process.wait(100) == 1
    log = "\n".join(worker.lines())
    assert sentence in log
    assert "Traceback" not in log
    assert waiting(open_redis(redis_url)) == 1
