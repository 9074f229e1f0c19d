"""`producer exporter`: queues and runs as metrics, for Prometheus."""

from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Final

import click

from producer.commands.options import broker_option, metrics_options, with_flag
from producer.commands.terminal import FOLDER, say
from producer.exporting.metrics import FleetCollector
from producer.run.folders import require_folders
from producer.run.preconditions import require_broker
from worker.contract.errors import RunError, SettingsError
from worker.metrics.endpoint import new_registry, serve
from worker.settings.fleet import load_settings

_PORT: Final = 9820


@click.command("exporter")
@click.argument("folders", metavar="[DIR]...", nargs=-1, type=FOLDER)
@metrics_options
@broker_option
@click.pass_context
def exporter_command(
    ctx: click.Context,
    folders: tuple[Path, ...],
    *,
    metrics_port: int | None,
    metrics_address: str | None,
    broker_url: str | None,
) -> None:
    """Show Prometheus the queue's depth, and of each run in DIR its rows by state, its rate and the time left.

    DIR is a run's folder, or one that holds the folders of runs, also of such that begin later. Port 9820 unless
    another is set. It changes nothing, and ends with 0 when it is told to.
    """
    settings = load_settings(metrics_port=metrics_port, metrics_address=metrics_address, broker_url=broker_url)
    require_folders(folders)
    if settings.broker_url is not None or not folders:
        require_broker(settings, say, writing=False, looking=True)
    registry, port = new_registry(), settings.metrics_port or _PORT
    registry.register(FleetCollector(settings, folders, broker_url=broker_url))
    try:
        serve(registry, address=settings.metrics_address, port=port)
    except SettingsError as error:
        raise RunError(with_flag(str(error), ctx.command.params)) from None
    say(f"metrics at http://{settings.metrics_address}:{port}/metrics, until Ctrl-C")
    with suppress(KeyboardInterrupt):
        Event().wait()
