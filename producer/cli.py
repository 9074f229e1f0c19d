"""The command line: options, wiring and exit codes; no logic."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console

from producer import run as runs
from producer.collect import Collector, write_output
from producer.embedded import embedded_redis
from producer.failures import broker_errors, folder_errors
from producer.local import LocalWorkers, devices, stopped_by_signals
from producer.options import broker_option, run_options, with_flag
from producer.progress import Status, progress_bar
from producer.rows import read_lines
from producer.status import NoWorkerNotice, fleet_status, run_status
from producer.submit import submit
from worker.errors import FleetError, RunError, SettingsError
from worker.settings import Settings, load_settings

#: Exit codes beyond 0 (all rows edited), 1 (anything else) and 2 (wrong usage, click's own).
_SOME_FAILED, _SOME_UNANSWERED = 3, 4

_stderr = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)


class _Group(click.Group):
    """Turns the fleet's errors into one sentence and the right exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise click.UsageError(with_flag(str(error), submit_command.params)) from None
        except FleetError as error:
            raise click.ClickException(str(error)) from None
        except KeyboardInterrupt:
            raise click.ClickException("Interrupted; the same command goes on where it stopped.") from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bulk-image-editor")
def main() -> None:
    """Edit images in bulk: one task per row of a jsonl, on a fleet of workers."""


_input = click.argument(
    "input_path", metavar="INPUT.jsonl", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
_folder = click.Path(path_type=Path)


@main.command("submit")
@_input
@run_options
@click.option("--detach", is_flag=True, help="Never wait for room: refuse an input of more rows than --max-queued.")
def submit_command(input_path: Path, *, detach: bool, **given: Any) -> None:
    """Send the rows of INPUT.jsonl to the workers.

    Prints the run folder once every row is published; `producer collect` brings the results. The same
    command again sends only what is new, changed, failed or lost.
    """
    settings = load_settings(**given)
    folder = _run_dir(input_path, settings)
    if detach and (rows := sum(1 for _ in read_lines(input_path))) > settings.max_queued:
        raise click.UsageError(f"--detach takes at most {settings.max_queued} rows (--max-queued), found {rows}.")
    runs.require_broker(settings)
    with (
        broker_errors(settings),
        runs.create(input_path, folder, settings, "submit") as run,
        progress_bar(_stderr) as report,
    ):
        published = submit(run, Collector(run, report), check=NoWorkerNotice(run.settings, _say))
    click.echo(folder)
    _say(f"{published} rows published; follow them with: producer collect {folder}")


@main.command("collect")
@click.argument("folder", metavar="DIR", type=_folder)
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Output jsonl [default: the run's own]."
)
@click.option("--no-wait", is_flag=True, help="Write what is there now; exit code 4 if rows are unanswered.")
@broker_option
def collect_command(folder: Path, *, output: Path | None, no_wait: bool, broker_url: str | None) -> None:
    """Follow the run in DIR, then write its output jsonl, in the input's order."""
    with runs.reopen(folder, "collect", output=output, broker_url=broker_url) as run, broker_errors(run.settings):
        if run.ledger.unanswered:  # a finished run needs no Redis
            runs.require_broker(run.settings)
        with progress_bar(_stderr) as report:
            collector = Collector(run, report)
            if no_wait:
                status = collector.drain()
            else:
                runs.require_sent(run)
                status = collector.follow(NoWorkerNotice(run.settings, _say))
        _finish(run, status, complete=not no_wait)


@main.command("status")
@click.argument("folder", metavar="[DIR]", required=False, type=_folder)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@broker_option
def status_command(folder: Path | None, *, as_json: bool, broker_url: str | None) -> None:
    """Show how far the run in DIR is; without DIR, the workers that are up, their model and queue."""
    settings = load_settings(broker_url=broker_url)
    with broker_errors(settings):
        found = fleet_status(settings) if folder is None else run_status(folder, broker_url).as_dict()
    click.echo(json.dumps(found) if as_json else _as_lines(found) or "No worker is up.")


@main.command("run")
@_input
@run_options
@click.option("--workers", default="auto", metavar="N|auto", help="Workers to start [default: one per visible GPU].")
def run_command(input_path: Path, *, workers: str, **given: Any) -> None:
    """Edit INPUT.jsonl on this machine: Redis, workers, submit and collect, all stopped again at the end."""
    if workers != "auto" and not (workers.isdecimal() and int(workers)):
        raise click.UsageError(f"--workers takes a positive number or auto, found {workers!r}.")
    settings = load_settings(**given)
    folder = _run_dir(input_path, settings)
    with (
        stopped_by_signals(),
        _local_broker(settings, folder) as settings,
        broker_errors(settings),
        runs.create(input_path, folder, settings, "run") as run,
    ):
        with LocalWorkers(settings, folder, devices(workers)) as fleet, progress_bar(_stderr) as report:
            collector = Collector(run, report)
            submit(run, collector, before_first=fleet.start, check=fleet.check)
            if run.ledger.unanswered:  # also rows that an earlier command sent
                fleet.start()
            status = collector.follow(fleet.check)
        _finish(run, status, complete=True)


@contextmanager
def _local_broker(settings: Settings, folder: Path) -> Iterator[Settings]:
    """Yield settings with a broker: the one that was named, or one of our own."""
    if settings.broker_url is not None:
        runs.require_broker(settings)
        yield settings
        return
    with folder_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with embedded_redis(folder) as url:
        yield settings.model_copy(update={"broker_url": url})


def _run_dir(input_path: Path, settings: Settings) -> Path:
    """Return the run folder, once the input is known to hold a row."""
    if next(read_lines(input_path), None) is None:
        raise click.UsageError(f"{input_path} holds no rows.")
    return settings.run_dir or Path("cache_local/image_edit_local") / input_path.stem


def _finish(run: runs.Run, status: Status, *, complete: bool) -> NoReturn:
    path = run.output_path
    unanswered = write_output(run, path)
    click.echo(path)
    _say(f"{status.done} rows done, {status.failed} failed, {unanswered} unanswered; images in {run.folder}")
    if complete and unanswered:
        raise RunError(
            f"{unanswered} rows of {run.input_path} were added or changed since they were sent;"
            " the same `producer submit` again sends them."
        )
    sys.exit(_SOME_UNANSWERED if unanswered else _SOME_FAILED if status.failed else 0)


def _as_lines(found: dict[str, Any]) -> str:
    return "\n".join(
        f"{key}: {json.dumps(value) if isinstance(value, dict) else value}" for key, value in found.items()
    )


def _say(sentence: str) -> None:
    _stderr.print(sentence)
