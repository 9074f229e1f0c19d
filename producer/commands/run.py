"""`producer run`: everything on this machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from producer.collecting.failing import Most
from producer.commands.dry_run import dry_run, dry_run_option, json_option
from producer.commands.finishing import finish
from producer.commands.hosting import host, max_failed_option, redo_option
from producer.commands.options import quiet_option, run_options
from producer.commands.terminal import input_argument, run_folder, say, say_rounding, taken_input
from producer.conducting.flows import edit
from producer.local.crew import LocalCrew
from producer.local.demand import as_demanded
from producer.local.devices import devices
from producer.local.flower import Flower, require_flower
from producer.local.redis import running
from producer.local.workers import LocalWorkers
from producer.run import opening
from producer.run.failures import broker_errors, folder_errors
from producer.run.preconditions import require_broker
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
    asked = host("run", quiet=quiet, redo=redo, max_failed=max_failed)
    with (
        taken_input(named, folder) as source,
        _local_broker(settings, folder) as (settings, watch),
        broker_errors(settings),
        opening.create(source, folder, settings, asked.name, say=say, watch=watch) as run,
    ):
        say_rounding(settings)
        monitor, fleet = Flower(settings, folder, port, say), LocalWorkers(settings, folder, devices(workers), say)
        status = edit(run, replace(asked, watch=watch), LocalCrew(settings, fleet, monitor))
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
