"""What commands say, as lines of JSON: `--json-logs`, or FLEET_LOG_FORMAT=json, as for workers."""

import logging
import os
from collections.abc import Sequence
from typing import IO, Any

import click

from worker.logs.formats import json_lines

_WANTED = "producer.json_logs"


#: The option of each command; what it asks for is noted by `note`.
json_logs_option = click.Option(
    ["--json-logs"],
    is_flag=True,
    expose_value=False,
    help="Say everything on stderr as lines of JSON  (FLEET_LOG_FORMAT=json)",
)


def note(ctx: click.Context, arguments: Sequence[str]) -> None:
    """Look for the option before anything is parsed: an error in the other options is to be JSON, too."""
    ctx.meta[_WANTED] = "--json-logs" in arguments


def are_wanted() -> bool:
    """Tell whether what is said now is to be JSON."""
    ctx = click.get_current_context(silent=True)
    # By itself: the settings may be what is wrong.
    return os.environ.get("FLEET_LOG_FORMAT") == "json" or (ctx is not None and ctx.meta.get(_WANTED, False))


def line(sentence: str, level: int = logging.INFO) -> str:
    """Return a sentence as a line of a worker's log would have it."""
    return json_lines().format(logging.LogRecord("producer", level, "", 0, sentence, None, None))


class ErrorAsJson(click.ClickException):
    """An error that ends a command, said as a line of JSON."""

    def __init__(self, error: click.ClickException) -> None:
        """Take over its words and its exit code."""
        super().__init__(error.format_message())
        self.exit_code = error.exit_code  # type: ignore[misc] # a class's own, by the stubs

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it."""
        click.echo(line(self.message, logging.ERROR), file=file, err=file is None)
