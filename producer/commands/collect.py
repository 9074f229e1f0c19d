"""`producer collect`: follows a run and writes its output."""

from pathlib import Path
from typing import Any

import click

from producer.collecting.failing import Most
from producer.commands.finishing import finish
from producer.commands.hosting import host, max_failed_option
from producer.commands.options import NamedPath, broker_option, output_images_option, quiet_option
from producer.commands.terminal import FOLDER, say
from producer.conducting.flows import collect
from producer.run import opening
from producer.run.failures import broker_errors
from producer.run.output_place import require_form


@click.command("collect")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--output", type=NamedPath(), metavar="FILE", help="Output: a jsonl, .json or .parquet [default: the run's own]."
)
@output_images_option
@click.option("--no-wait", is_flag=True, help="Write what is there now; exit code 4 if rows are unanswered.")
@max_failed_option
@quiet_option
@broker_option
def collect_command(
    folder: Path, *, no_wait: bool, max_failed: Most | None, quiet: bool, broker_url: str | None, **instead: Any
) -> None:
    """Follow the run in DIR, then write its output, in the input's order."""
    asked = host("collect", quiet=quiet, max_failed=max_failed)
    given = {name: value for name, value in instead.items() if value is not None}
    with (
        opening.reopen(folder, asked.name, broker_url=broker_url, say=say, **given) as run,
        broker_errors(run.settings),
    ):
        require_form(run.output_path, run.settings.output_images)
        finish(run, collect(run, asked, waits=not no_wait), complete=not no_wait)
