"""`producer run`: everything on this machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from producer.collecting.alike import Alike
from producer.collecting.collector import Collector
from producer.collecting.display import display
from producer.collecting.failing import Most
from producer.commands.dry_run import dry_run
from producer.commands.failing import ended_by_failures, max_failed_option
from producer.commands.finishing import finish
from producer.commands.options import quiet_option, run_options
from producer.commands.planning import agree, dry_run_option, json_option, plan_of, redo_option
from producer.commands.terminal import input_argument, run_folder, say, say_rounding, stderr, taken_input
from producer.local.demand import as_demanded
from producer.local.devices import devices
from producer.local.flower import Flower, require_flower
from producer.local.redis import running
from producer.local.workers import LocalWorkers
from producer.run import opening
from producer.run.failures import broker_errors, folder_errors
from producer.run.preconditions import require_broker
from producer.sending.foresight import Foresight
from producer.sending.sender import Sender
from producer.sending.submit import submit
from worker.settings.fleet import Settings, load_settings


@click.command("run")
@input_argument
@run_options
@click.option("--workers", default="auto", metavar="N|auto", help="Workers to start [default: one per visible GPU].")
@click.option("--flower", is_flag=True, help="Start Flower, too: pages that show each row while the run goes on.")
@click.option(
    "--flower-port", type=click.IntRange(1, 65535), metavar="PORT", help="The same, at this port of 127.0.0.1."
)
@redo_option
@max_failed_option
@quiet_option
@dry_run_option
@json_option
def run_command(
    named: Path,
    *,
    workers: str,
    flower: bool,
    flower_port: int | None,
    redo: bool,
    max_failed: Most | None,
    quiet: bool,
    only_plan: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Edit INPUT.jsonl on this machine: Redis, workers, submit and collect, all stopped again at the end."""
    if workers != "auto" and not (workers.isdecimal() and int(workers)):
        raise click.UsageError(f"--workers takes a positive number or auto, found {workers!r}.")
    settings = as_demanded(load_settings(**given))
    if only_plan:
        dry_run(named, settings, quiet=quiet, as_json=as_json)
        return
    folder = run_folder(named, settings)
    port = 0 if flower and flower_port is None else flower_port
    require_flower(port)
    with (
        taken_input(named, folder) as source,
        _local_broker(settings, folder) as (settings, watch),
        broker_errors(settings),
        opening.create(source, folder, settings, "run", say=say, watch=watch) as run,
    ):
        say_rounding(settings)
        agree(plan := plan_of(run, quiet=quiet), redo=redo)
        with (
            Flower(settings, folder, port, say) as monitor,  # it sees the workers end
            LocalWorkers(settings, folder, devices(workers), say) as fleet,
            display(stderr, say, quiet=quiet) as report,
            ended_by_failures(run, max_failed, report) as failing,
        ):
            collector = Collector(run, Alike(report, say), total=plan.total, failing=failing)

            def start() -> None:
                monitor.start()
                fleet.start()
                monitor.announce(watch)

            def start_fleet() -> None:
                start()
                fleet.wait_until_ready(watch, report.stage)

            sender = Sender(run, collector, check=fleet.check, before_first=start_fleet, foresee=Foresight(settings))
            submit(run, sender)
            if run.ledger.unanswered:  # also rows that an earlier command sent
                start()
            status = collector.follow(fleet.check)
        finish(run, status, complete=True)


@contextmanager
def _local_broker(settings: Settings, folder: Path) -> Iterator[tuple[Settings, Callable[[], None]]]:
    """Yield settings with a broker: the one that was named, or one of our own; and what tells that it has ended."""
    if settings.broker_url is not None:
        require_broker(settings, say)
        yield settings, lambda: None
        return
    with folder_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with running(folder) as redis:
        yield settings.model_copy(update={"broker_url": redis.url}), redis.check
