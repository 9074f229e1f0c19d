"""The commands that only look: `status` and `check`."""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from producer.check import check
from producer.failures import broker_errors
from producer.findings import Findings
from producer.options import broker_option, row_options
from producer.progress import progress_bar
from producer.rates import known_from, measured_in
from producer.requirements import require_broker
from producer.source import is_stream
from producer.status import fleet_status, run_status
from producer.terminal import FOLDER, SOME_FAILED, input_argument, run_folder, say_rounding, stderr, taken_input
from worker.buckets import Bucket
from worker.settings import Settings, load_settings


@click.command("status")
@click.argument("folder", metavar="[DIR]", required=False, type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@broker_option
def status_command(folder: Path | None, *, as_json: bool, broker_url: str | None) -> None:
    """Show how far the run in DIR is; without DIR, the workers that are up, their model, and how busy they are."""
    settings = load_settings(broker_url=broker_url)
    if folder is None:
        require_broker(settings)  # Celery's own way there would take seconds to find out
    with broker_errors(settings):
        found = fleet_status(settings) if folder is None else run_status(folder, broker_url).as_dict()
    click.echo(json.dumps(found) if as_json else _as_lines(found) or "No worker is up.")


@click.command("check")
@input_argument
@row_options
@click.option("--timed-by", type=FOLDER, metavar="DIR", help="A run whose measured seconds tell the GPU time.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def check_command(named: Path, *, timed_by: Path | None, as_json: bool, **given: Any) -> None:
    """Read INPUT.jsonl ("-": standard input) and its images, without a GPU or a Redis; exit code 3 if a row is bad.

    Prints every error, how many rows go to which bucket, and the GPU time that they will take, as far as a run of
    this input, or the one of --timed-by, has measured it.
    """
    settings = load_settings(**given)
    findings = Findings(settings, _rates(named, timed_by, settings), keep_errors=as_json)
    with TemporaryDirectory() as folder, taken_input(named, Path(folder)) as source, progress_bar(stderr) as report:
        check(source, findings, settings, say_error=None if as_json else click.echo, report=report)
    click.echo(json.dumps(findings.as_dict()) if as_json else findings.as_text())
    if not as_json:
        say_rounding(settings)
    sys.exit(SOME_FAILED if findings.bad else 0)


def _rates(named: Path, timed_by: Path | None, settings: Settings) -> dict[Bucket, float]:
    if timed_by is not None:
        return measured_in(timed_by, settings)
    if is_stream(named) and settings.run_dir is None:
        return {}
    return known_from(run_folder(named, settings), settings)


def _as_lines(found: dict[str, Any]) -> str:
    return "\n".join(f"{key}: {_in_words(value)}" for key, value in found.items())


def _in_words(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    # A worker's answer, unless it is of a version that did not measure it.
    busy = {"busy": f"{100 * value['busy']:.0f} %"} if "busy" in value else {}
    return json.dumps({**value, **busy})
