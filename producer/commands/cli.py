"""The command line: its commands, and how each of them ends."""

from typing import Any

import click

from producer.commands import json_logs
from producer.commands.cancel import cancel_command
from producer.commands.check import check_command
from producer.commands.collect import collect_command
from producer.commands.doctor import doctor_command
from producer.commands.drain import drain_command
from producer.commands.errors import errors_command
from producer.commands.exporter import exporter_command
from producer.commands.gallery import gallery_command
from producer.commands.models import models_command
from producer.commands.options import with_flag
from producer.commands.queue_length import queue_length_command
from producer.commands.redo import redo_command
from producer.commands.retry import retry_command
from producer.commands.run import run_command
from producer.commands.runs import runs_command
from producer.commands.signals import stopped_by_signals
from producer.commands.status import status_command
from producer.commands.submit import submit_command
from producer.commands.verify import verify_command
from worker.contract.errors import FleetError, SettingsError

_RESUME = "; the same command goes on where it stopped"

#: Commands that do nothing that could be gone on with.
_LOOKING = {"check", "doctor", "drain", "errors", "gallery", "models", "queue-length", "runs", "status"}


class _Group(click.Group):
    """Turns the fleet's errors into one sentence and the right exit code."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        json_logs.note(ctx, args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return self._invoke(ctx)
        except click.ClickException as error:
            if json_logs.are_wanted():
                raise json_logs.ErrorAsJson(error) from None
            raise

    def _invoke(self, ctx: click.Context) -> Any:
        try:
            with stopped_by_signals():
                return super().invoke(ctx)
        except SettingsError as error:
            raise click.UsageError(with_flag(str(error), submit_command.params)) from None
        except FleetError as error:
            raise click.ClickException(str(error)) from None
        except KeyboardInterrupt:
            raise click.ClickException(f"Interrupted{'' if ctx.invoked_subcommand in _LOOKING else _RESUME}.") from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bulk-image-editor")
def main() -> None:
    """Edit images in bulk: one task per row of a jsonl, on a fleet of workers."""


for command in (
    cancel_command,
    check_command,
    collect_command,
    doctor_command,
    drain_command,
    errors_command,
    exporter_command,
    gallery_command,
    models_command,
    queue_length_command,
    redo_command,
    retry_command,
    run_command,
    runs_command,
    status_command,
    submit_command,
    verify_command,
):
    command.params.append(json_logs.json_logs_option)
    main.add_command(command)
