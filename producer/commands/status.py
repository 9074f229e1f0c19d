"""`producer status`: how far a run is, or which workers are up."""

import json
from pathlib import Path
from typing import Any

import click

from producer.collecting.status import fleet_status, run_status
from producer.commands.options import broker_option
from producer.commands.terminal import FOLDER, say
from producer.run.failures import broker_errors
from producer.run.preconditions import require_broker
from worker.settings.fleet import load_settings


@click.command("status")
@click.argument("folder", metavar="[DIR]", required=False, type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@broker_option
def status_command(folder: Path | None, *, as_json: bool, broker_url: str | None) -> None:
    """Show how far the run in DIR is; without DIR, the workers that are up, their model, and how busy they are."""
    found = _fleet(broker_url) if folder is None else run_status(folder, say, broker_url).as_dict()
    click.echo(json.dumps(found) if as_json else _as_lines(found) or "No worker is up.")


def _fleet(broker_url: str | None) -> dict[str, Any]:
    settings = load_settings(broker_url=broker_url)
    require_broker(settings, say)  # Celery's own way there would take seconds to find out
    with broker_errors(settings):
        return fleet_status(settings)


def _as_lines(found: dict[str, Any]) -> str:
    told = {key: value for key, value in found.items() if value not in (None, {})}
    return "\n".join(f"{key}: {_in_words(value)}" for key, value in told.items())


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, dict):
        return str(value)
    # A worker's answer, unless it is of a version that did not measure it.
    busy = {"busy": f"{100 * value['busy']:.0f} %"} if "busy" in value else {}
    return json.dumps({**value, **busy})
