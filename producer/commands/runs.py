"""`producer runs`: which runs there are."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from producer.collecting.listing import Listed, runs_in, runs_of
from producer.commands.table import aligned, percent
from producer.commands.terminal import FOLDER, say
from producer.run.failures import broker_errors
from producer.run.folders import USUAL
from producer.run.preconditions import require_broker
from worker.contract.outcomes import open_redis
from worker.settings.fleet import load_settings

_COUNTS: Final = ("done", "failed", "kept", "waiting", "uncollected")
_PACE: Final = ("rows/s", "left", "priority", "share")
_HEADS: Final = ("run", "state", *_COUNTS, *_PACE, "folder")


@click.command("runs")
@click.argument("folder", metavar="[FOLDER]", required=False, type=FOLDER)
@click.option(
    "--broker",
    "broker_url",
    is_flag=False,
    flag_value="",
    metavar="[URL]",
    help="Runs that this Redis knows; without a URL, the one of FLEET_BROKER_URL.",
)
@click.option("--json", "as_json", is_flag=True, help="For scripts: a line of JSON for each run.")
def runs_command(folder: Path | None, *, as_json: bool, broker_url: str | None) -> None:
    """List the runs in FOLDER [default: where runs are unless it is named, else this one], or those that a Redis knows.

    FOLDER is a run's own, or one that holds the folders of runs. Redis knows a run until a day after its end.
    """
    if folder is not None or broker_url is None:
        usual = [place for place in USUAL.values() if place.is_dir()]
        here = [folder] if folder is not None else usual or [Path()]
        listed = [run for place in here for run in runs_in(place, say, broker_url or None)]
        none = f"There is no run in {' and '.join(map(str, here))}; name another folder."
    else:
        listed, none = _known(broker_url), "This Redis knows no run."
    if not listed and not as_json:
        say(none)
    for line in _as_json(listed) if as_json else _as_table(listed):
        click.echo(line)


def _known(broker_url: str) -> list[Listed]:
    settings = load_settings(broker_url=broker_url or None)
    require_broker(settings, say, writing=False, looking=True)
    with broker_errors(settings, looking=True), open_redis(settings.broker) as client:
        return [*runs_of(client)]


def _as_json(listed: list[Listed]) -> Iterator[str]:
    return (json.dumps(one.as_dict()) for one in listed)


def _as_table(listed: list[Listed]) -> list[str]:
    return aligned([_HEADS, *map(_cells, listed)]) if listed else []


def _cells(one: Listed) -> list[str]:
    status = one.status
    if status is None:
        return ["", one.state, *[""] * (len(_HEADS) - 3), one.folder]
    counts = [f"{n:,}" for n in (status.done, status.failed, status.kept, status.waiting, one.uncollected)]
    goes_on = _pace(one) if status.waiting else [""] * len(_PACE)
    return [one.run, one.state, *counts, *goes_on, one.folder]


def _pace(one: Listed) -> list[str]:
    """Tell how fast a run goes, when it ends, and how it shares workers with others."""
    rate, left = one.status.rows_per_s if one.status else 0, one.seconds_left
    return [
        f"{rate:.2f}",
        "" if left is None else str(timedelta(seconds=round(left))),
        "" if one.priority is None else str(one.priority),
        "" if one.share is None else percent(one.share),
    ]
