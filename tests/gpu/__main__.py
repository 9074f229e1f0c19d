"""The command: `python -m tests.gpu`, or `make gpu`."""

import platform
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import Final

import click

from tests.gpu import report
from tests.gpu.cards import Card, first_card
from tests.gpu.catalog import PARTS, Part, named
from tests.gpu.harness import Harness

REHEARSAL: Final = (
    "No GPU is to be seen here (nvidia-smi finds none): every part runs at its tiny size on this CPU, as a rehearsal;"
    " no figure says anything of a GPU."
)

#: A CPU compiles kernels for a minute that a GPU's compiler has in ten seconds.
_PATIENCE: Final = 5.0


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    show_default="as long as it takes",
    help="What is done must fit; a rehearsal leaves nothing out.",
)
@click.option("--only", default="", show_default="all", help="Parts, separated by commas: fp8,card.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    show_default="a new one in cache_local/gpu",
    help="Folder of the results; those of other parts that lie there stay in its report.",
)
@click.option(
    "--archive",
    type=click.Path(dir_okay=False, path_type=Path),
    show_default="none",
    help="File that all results are packed into after each part: .tgz.",
)
@click.option("--tiny", is_flag=True, help="On a GPU, too, what has a tiny size at that: to find what breaks.")
@click.option("--compile/--no-compile", "compiled", default=True, help="Whether profiles that compile do.")
@click.option("--list", "is_listed", is_flag=True, help="Say which parts there are, and end.")
def main(
    *,
    minutes: float | None,
    only: str,
    output: Path | None,
    archive: Path | None,
    tiny: bool,
    compiled: bool,
    is_listed: bool,
) -> None:
    """Show all that a GPU must show, each part in a process of its own, the results in one folder as they come."""
    if is_listed:
        click.echo("\n".join(f"{part.name:12} {part.seconds:4} s  {part.what}" for part in PARTS))
        return
    try:
        parts = named([name.strip() for name in only.split(",") if name.strip()])
    except ValueError as error:
        raise click.UsageError(f"--only: {error}") from None
    card = first_card()
    folder = _folder(output)
    if tiny and card is not None and not only:
        parts = [part for part in parts if not part.is_always_long]
    harness = Harness(
        folder=folder,
        head=_head(card),
        tiny=tiny,
        compiled=compiled,
        gpu=card is not None,
        seconds=60 * minutes if minutes and card is not None else None,
        archive=archive,
        patience=_PATIENCE if card is None else 1.0,
        tell=lambda text: click.echo(text, err=True),
    )
    fine = _run(harness, parts)
    click.echo(report.write(folder, harness.head, PARTS, harness.left_out))
    click.echo(f"\nAll of it: {folder / 'report.md'}")
    if not fine:
        raise SystemExit(1)


def _run(harness: Harness, parts: list[Part]) -> bool:
    for line in harness.head[1:]:
        harness.tell(line)
    try:
        return harness.run(parts, PARTS)
    except KeyboardInterrupt:
        harness.tell("Broken off; what was found so far is kept.")
        return False


def _head(card: Card | None) -> list[str]:
    command = shlex.join(["python", "-m", "tests.gpu", *sys.argv[1:]])
    where = str(card) if card else f"no GPU; {platform.machine()} CPU"
    head = [f"`{command}` on {time.strftime('%Y-%m-%d %H:%M')}, {where}, Python {platform.python_version()}"]
    trouble = REHEARSAL if card is None else card.trouble
    return [*head, "", trouble] if trouble else head


def _folder(output: Path | None) -> Path:
    folder = output or Path("cache_local/gpu") / time.strftime("%Y-%m-%d-%H%M%S")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
        (folder / ".writable").unlink()
    except OSError as error:
        raise click.ClickException(
            f"The results cannot be written to {folder} ({error.strerror}); name another --output."
        ) from None
    return folder


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `timeout` ends it as Ctrl-C does: with its processes
    main()
