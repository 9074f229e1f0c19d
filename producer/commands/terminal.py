"""What every command shares: its voice, its input, its run folder."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from producer.commands import json_logs
from producer.commands.options import NamedPath
from producer.rows.lines import read_lines
from producer.rows.remarks import rounding
from producer.rows.source import STDIN, Source, is_stream, run_name, taken
from producer.run.failures import folder_errors
from producer.run.folders import USUAL
from worker.contract.counting import counted
from worker.contract.urls import shown
from worker.settings.fleet import Settings

FOLDER: Final = NamedPath()

stderr = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)


class _Input(click.Path):
    """A file, or "-" for standard input."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, allow_dash=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; end the command where there is no such file."""
        if isinstance(value, str) and "://" in value:
            named = shown(value)
            self.fail(f"{named} is a URL; bring it here, or pipe it into `producer … - --run-dir DIR`.", param, ctx)
        return super().convert(value, param, ctx)


input_argument = click.argument("named", metavar="INPUT.jsonl", type=_Input())


def say(sentence: str) -> None:
    """Tell the user something that is no result."""
    if json_logs.are_wanted():
        click.echo(json_logs.line(sentence), err=True)
    else:
        stderr.print(sentence)


def can_ask() -> bool:
    """Tell whether somebody is there to answer a question."""
    is_seen = sys.stderr.isatty() and not json_logs.are_wanted()
    return is_seen and sys.stdin is not None and sys.stdin.isatty()


@contextmanager
def counted_bar(console: Console, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar of `total` rows on a terminal, and nothing elsewhere; yield what moves it."""
    bar = Progress(
        BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console, disable=not console.is_terminal
    )
    with bar:
        task = bar.add_task("rows", total=total)
        yield lambda rows: bar.update(task, completed=rows)


def run_folder(named: Path, settings: Settings) -> Path:
    """Return the run folder of an input: the one that was named, or DataFlow's.

    Raises:
        click.UsageError: the input is a stream, and a stream has no name by which to tell its run from another's.

    """
    if settings.run_dir is None and is_stream(named):
        raise click.UsageError(f"{_name(named)} has no name to call a run by; name its folder with --run-dir.")
    return settings.run_dir or USUAL[settings.image_gen_task] / run_name(named)


@contextmanager
def taken_input(named: Path, folder: Path) -> Iterator[Source]:
    """Yield the input, once it is known to hold a row.

    Raises:
        click.UsageError: it holds none.
        RunError: it cannot be read, or (a stream) not be kept in the folder.

    """
    with ExitStack() as stack:
        with folder_errors(folder):
            source = stack.enter_context(taken(named, folder))
        if next(read_lines(source.path), None) is None:
            raise click.UsageError(f"{_name(named)} holds no rows.")
        yield source


def _name(named: Path) -> str:
    return "Standard input" if named == STDIN else str(named)


def say_rounding(settings: Settings) -> None:
    """Say it where the run's size was rounded to what the model takes."""
    if (sentence := rounding(settings)) is not None:
        say(sentence)


def say_published(rows: int, folder: Path) -> None:
    """Say how many rows were published, and what comes next."""
    say(f"{counted(rows, 'row')} published; follow {'it' if rows == 1 else 'them'} with: producer collect {folder}")
