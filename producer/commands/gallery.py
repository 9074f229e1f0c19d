"""`producer gallery`: a page that shows what came of a run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.progress import Progress, TextColumn

from producer.commands.terminal import FOLDER, say, stderr
from producer.gallery.building import Made
from producer.gallery.gallery import MOST, Gallery
from worker.contract.counting import counted


@click.command("gallery")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--watch", is_flag=True, help="Bring the page up to date until the run is finished; Ctrl-C ends it.")
@click.option(
    "--most",
    type=click.IntRange(min=1),
    default=MOST,
    show_default=True,
    metavar="N",
    help="Rows of the page: of a larger run it shows every second, third, … row.",
)
def gallery_command(folder: Path, *, watch: bool, most: int) -> None:
    """Make a page of the run in DIR, before and after side by side, and print its path; any browser opens it.

    It needs no server and no network: it lies in DIR/gallery, with small pictures of its own, and moves with DIR.
    """
    with _counter() as progress:
        gallery = Gallery(folder, most=most, progress=progress)
        if watch:
            say(f"Open {gallery.index} in a browser; it follows the run until Ctrl-C.")
        made = _followed(gallery) if watch else gallery.make()
    click.echo(gallery.index)
    say("It shows what was finished until now." if made is None else _said(made))


def _followed(gallery: Gallery) -> Made | None:
    try:
        return gallery.follow()
    except KeyboardInterrupt:  # as it is meant to end
        return None


def _said(made: Made) -> str:
    every = f", one row in {made.step} of the run; --most shows more" if made.step > 1 else ""
    more = f", {made.waiting} more to come: --watch follows them" if made.waiting else ""
    return f"{counted(made.shown, 'finished row')}{every}{more}"


@contextmanager
def _counter() -> Iterator[Callable[[int], None]]:
    """Show on a terminal how many rows are on the page so far."""
    line = Progress(
        TextColumn("Rows on the page: {task.completed}"), console=stderr, disable=not stderr.is_terminal, transient=True
    )
    with line:
        task = line.add_task("rows", total=None)
        yield lambda rows: line.update(task, completed=rows)
