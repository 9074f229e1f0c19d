"""`producer status`: how far a run is, or which workers are up."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from producer.collecting.fleet import fleet_status
from producer.collecting.status import view
from producer.commands.options import broker_option
from producer.commands.showing import run_in_words
from producer.commands.terminal import FOLDER, say
from producer.commands.workers_table import fleet_in_words
from producer.run.failures import broker_errors
from producer.run.preconditions import require_broker
from worker.settings.fleet import load_settings

#: Seconds between two looks on a terminal, and elsewhere, where each is written below the other.
_OFTEN: Final = 2.0
_SELDOM: Final = 30.0

#: A look takes at most this share of the time: counting ten million rows takes seconds.
_SHARE: Final = 0.1


class _Look(NamedTuple):
    """What was seen."""

    fields: dict[str, Any]
    text: str
    #: Whether nothing more will happen.
    is_over: bool = False


@click.command("status")
@click.argument("folder", metavar="[DIR]", required=False, type=FOLDER)
@click.option("--watch", is_flag=True, help="Look again and again, until the run is finished; Ctrl-C ends it.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: a line of JSON for each look.")
@broker_option
def status_command(folder: Path | None, *, watch: bool, as_json: bool, broker_url: str | None) -> None:
    """Show how far the run in DIR is; without DIR, the workers that are up, their model, and how busy they are.

    Of a run: its rows by state, its rate and the time left, why rows have failed, its queue and its workers. It needs
    no lock, changes nothing, and works while a command is at work on the run, and after it.
    """
    look = partial(_fleet, broker_url) if folder is None else partial(_run, folder, broker_url)
    if watch:
        with suppress(KeyboardInterrupt):  # as it is meant to end
            _follow(look, as_json=as_json)
    else:
        found = look()
        click.echo(json.dumps(found.fields) if as_json else found.text)


def _run(folder: Path, broker_url: str | None) -> _Look:
    seen = view(folder, say, broker_url)
    return _Look(seen.as_dict(), run_in_words(seen), is_over=not seen.status.waiting)


def _fleet(broker_url: str | None) -> _Look:
    settings = load_settings(broker_url=broker_url)
    require_broker(settings, say, looking=True)  # Celery's own way there would take seconds to find out
    with broker_errors(settings, looking=True):
        found = fleet_status(settings)
    return _Look(found, fleet_in_words(found))


def _follow(look: Callable[[], _Look], *, as_json: bool) -> None:
    """Show each look in the place of the one before on a terminal, elsewhere below it, until it is over."""
    is_live = sys.stdout.isatty() and not as_json
    with _live() if is_live else _lines(as_json=as_json) as show:
        while True:
            begun = time.monotonic()
            show(found := look())
            if found.is_over:
                return
            took = time.monotonic() - begun
            time.sleep(max(_OFTEN if is_live or as_json else _SELDOM, took / _SHARE - took))


@contextmanager
def _live() -> Iterator[Callable[[_Look], None]]:
    with Live(console=Console(highlight=False), auto_refresh=False, vertical_overflow="visible") as live:
        yield lambda found: live.update(Text(found.text), refresh=True)


@contextmanager
def _lines(*, as_json: bool) -> Iterator[Callable[[_Look], None]]:
    yield lambda found: click.echo(json.dumps(found.fields) if as_json else f"{found.text}\n")
