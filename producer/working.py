"""The commands that do a run's work: `submit`, `collect` and `run`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from producer import run as runs
from producer.collect import Collector
from producer.embedded import running
from producer.failures import broker_errors, folder_errors
from producer.lines import read_lines
from producer.local import LocalWorkers, devices
from producer.options import broker_option, run_options
from producer.output import write_output
from producer.progress import Status, progress_bar
from producer.requirements import changed_rows, require_broker, require_sent, require_wanted
from producer.sending import Sender
from producer.status import NoWorkerNotice
from producer.submit import submit
from producer.terminal import (
    FOLDER,
    SOME_FAILED,
    input_argument,
    run_folder,
    say,
    say_published,
    say_rounding,
    stderr,
    taken_input,
)
from worker.settings import Settings, load_settings

#: Exit code where rows have no answer yet; see also `producer.terminal`.
_SOME_UNANSWERED = 4


@click.command("submit")
@input_argument
@run_options
@click.option("--detach", is_flag=True, help="Never wait for room: refuse an input of more rows than --max-queued.")
def submit_command(named: Path, *, detach: bool, **given: Any) -> None:
    """Send the rows of INPUT.jsonl ("-": standard input) to the workers.

    Prints the run folder once every row is published; `producer collect` brings the results. The same
    command again sends only what is new, changed, failed or lost.
    """
    settings = load_settings(**given)
    require_broker(settings)
    folder = run_folder(named, settings)
    with taken_input(named, folder) as source:
        if detach and (rows := sum(1 for _ in read_lines(source.path))) > settings.max_queued:
            raise click.UsageError(f"--detach takes at most {settings.max_queued} rows (--max-queued), found {rows}.")
        say_rounding(settings)
        with (
            broker_errors(settings),
            runs.create(source, folder, settings, "submit", say=say) as run,
            progress_bar(stderr) as report,
        ):
            published = submit(run, Sender(run, Collector(run, report), check=NoWorkerNotice(run.settings, say)))
    click.echo(folder)
    say_published(published, folder)


@click.command("collect")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Output jsonl [default: the run's own]."
)
@click.option("--no-wait", is_flag=True, help="Write what is there now; exit code 4 if rows are unanswered.")
@broker_option
def collect_command(folder: Path, *, output: Path | None, no_wait: bool, broker_url: str | None) -> None:
    """Follow the run in DIR, then write its output jsonl, in the input's order."""
    with (
        runs.reopen(folder, "collect", output=output, broker_url=broker_url, say=say) as run,
        broker_errors(run.settings),
    ):
        if run.ledger.unanswered:  # a finished run needs no Redis
            require_broker(run.settings)
        with progress_bar(stderr) as report:
            collector = Collector(run, report)
            status = collector.drain()
            if status.waiting and not no_wait:
                require_wanted(run)
                require_sent(run)
                status = collector.follow(NoWorkerNotice(run.settings, say))
        _finish(run, status, complete=not no_wait)


@click.command("run")
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
        _local_broker(settings, folder) as (settings, watch),
        broker_errors(settings),
        runs.create(source, folder, settings, "run", say=say, watch=watch) as run,
    ):
        say_rounding(settings)
        with LocalWorkers(settings, folder, devices(workers), say) as fleet, progress_bar(stderr) as report:
            collector = Collector(run, report)
            submit(run, Sender(run, collector, check=fleet.check, before_first=fleet.start))
            if run.ledger.unanswered:  # also rows that an earlier command sent
                fleet.start()
            status = collector.follow(fleet.check)
        _finish(run, status, complete=True)


@contextmanager
def _local_broker(settings: Settings, folder: Path) -> Iterator[tuple[Settings, Callable[[], None]]]:
    """Yield settings with a broker: the one that was named, or one of our own; and what tells that it has ended."""
    if settings.broker_url is not None:
        require_broker(settings)
        yield settings, lambda: None
        return
    with folder_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with running(folder) as redis:
        yield settings.model_copy(update={"broker_url": redis.url}), redis.check


def _finish(run: runs.Run, status: Status, *, complete: bool) -> NoReturn:
    path = run.output_path
    unanswered, remarks = write_output(run, path)
    click.echo(path)
    say(f"{status.done} rows done, {status.failed} failed, {unanswered} unanswered; images in {run.folder}")
    for sentence in remarks.sentences():
        say(sentence)
    if complete and unanswered:
        raise changed_rows(run, unanswered)
    sys.exit(_SOME_UNANSWERED if unanswered else SOME_FAILED if status.failed else 0)
