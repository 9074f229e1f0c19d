"""The command line: options, wiring and exit codes; no logic."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from producer import run as runs
from producer.collect import Collector
from producer.embedded import embedded_redis
from producer.failures import broker_errors, folder_errors
from producer.lines import read_lines
from producer.local import LocalWorkers, devices
from producer.looking import check_command, status_command
from producer.options import broker_option, run_options, with_flag
from producer.output import write_output
from producer.progress import Status, progress_bar
from producer.signals import stopped_by_signals
from producer.status import NoWorkerNotice
from producer.submit import submit
from producer.terminal import FOLDER, SOME_FAILED, input_argument, run_folder, say, say_rounding, stderr, taken_input
from worker.errors import FleetError, RunError, SettingsError
from worker.settings import Settings, load_settings

#: Exit code where rows have no answer yet; see also `producer.terminal`.
_SOME_UNANSWERED = 4


_RESUME = "; the same command goes on where it stopped"


class _Group(click.Group):
    """Turns the fleet's errors into one sentence and the right exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with stopped_by_signals():
                return super().invoke(ctx)
        except SettingsError as error:
            raise click.UsageError(with_flag(str(error), submit_command.params)) from None
        except FleetError as error:
            raise click.ClickException(str(error)) from None
        except KeyboardInterrupt:
            looking = ctx.invoked_subcommand in {"check", "status"}
            raise click.ClickException(f"Interrupted{'' if looking else _RESUME}.") from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bulk-image-editor")
def main() -> None:
    """Edit images in bulk: one task per row of a jsonl, on a fleet of workers."""


@main.command("submit")
@input_argument
@run_options
@click.option("--detach", is_flag=True, help="Never wait for room: refuse an input of more rows than --max-queued.")
def submit_command(named: Path, *, detach: bool, **given: Any) -> None:
    """Send the rows of INPUT.jsonl ("-": standard input) to the workers.

    Prints the run folder once every row is published; `producer collect` brings the results. The same
    command again sends only what is new, changed, failed or lost.
    """
    settings = load_settings(**given)
    runs.require_broker(settings)
    folder = run_folder(named, settings)
    with taken_input(named, folder) as source:
        if detach and (rows := sum(1 for _ in read_lines(source.path))) > settings.max_queued:
            raise click.UsageError(f"--detach takes at most {settings.max_queued} rows (--max-queued), found {rows}.")
        say_rounding(settings)
        with (
            broker_errors(settings),
            runs.create(source, folder, settings, "submit") as run,
            progress_bar(stderr) as report,
        ):
            published = submit(run, Collector(run, report), check=NoWorkerNotice(run.settings, say))
    click.echo(folder)
    say(f"{published} rows published; follow them with: producer collect {folder}")


@main.command("collect")
@click.argument("folder", metavar="DIR", type=FOLDER)
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
        with progress_bar(stderr) as report:
            collector = Collector(run, report)
            if no_wait:
                status = collector.drain()
            else:
                runs.require_sent(run)
                status = collector.follow(NoWorkerNotice(run.settings, say))
        _finish(run, status, complete=not no_wait)


@main.command("run")
@input_argument
@run_options
@click.option("--workers", default="auto", metavar="N|auto", help="Workers to start [default: one per visible GPU].")
def run_command(named: Path, *, workers: str, **given: Any) -> None:
    """Edit INPUT.jsonl on this machine: Redis, workers, submit and collect, all stopped again at the end."""
    if workers != "auto" and not (workers.isdecimal() and int(workers)):
        raise click.UsageError(f"--workers takes a positive number or auto, found {workers!r}.")
    settings = load_settings(**given)
    folder = run_folder(named, settings)
    with (
        taken_input(named, folder) as source,
        _local_broker(settings, folder) as settings,
        broker_errors(settings),
        runs.create(source, folder, settings, "run") as run,
    ):
        say_rounding(settings)
        with LocalWorkers(settings, folder, devices(workers)) as fleet, progress_bar(stderr) as report:
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


def _finish(run: runs.Run, status: Status, *, complete: bool) -> NoReturn:
    path = run.output_path
    unanswered, remarks = write_output(run, path)
    click.echo(path)
    say(f"{status.done} rows done, {status.failed} failed, {unanswered} unanswered; images in {run.folder}")
    for sentence in remarks.sentences():
        say(sentence)
    if complete and unanswered:
        raise RunError(
            f"{unanswered} rows of {run.source.path} were added or changed since they were sent;"
            " the same `producer submit` again sends them."
        )
    sys.exit(_SOME_UNANSWERED if unanswered else SOME_FAILED if status.failed else 0)


main.add_command(check_command)
main.add_command(status_command)
