"""`producer errors`: why rows have failed."""

import json
from pathlib import Path

import click

from producer.collecting.causes import causes, failures
from producer.commands.terminal import FOLDER, say
from producer.run import opening
from producer.run.failures import ledger_errors
from producer.run.ledger import Ledger


@click.command("errors")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--by", type=click.Choice(["cause", "row"]), default="cause", show_default=True, help="What is listed.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: a line of JSON for each.")
def errors_command(folder: Path, *, by: str, as_json: bool) -> None:
    """List why rows of the run in DIR have failed: by cause, the most frequent first, each with its first row; or all.

    The rows of a cause are edited again by `producer retry DIR`, all of them, or `producer redo DIR --where 'error~…'`.
    """
    opening.require(folder)
    listed = 0
    with ledger_errors(folder), Ledger(folder, read_only=True) as ledger:
        if by == "row":
            for listed, failure in enumerate(failures(ledger), start=1):  # noqa: B007 - how many there were
                click.echo(json.dumps(failure._asdict()) if as_json else f"row {failure.row}: {failure.error}")
        else:
            for cause in causes(ledger):
                listed += cause.rows
                example = cause.example
                fields = {"cause": cause.cause, "rows": cause.rows, "example": example._asdict()}
                text = f"{cause.rows:>8}  {cause.cause}\n{'':>10}such as row {example.row}: {example.error}"
                click.echo(json.dumps(fields) if as_json else text)
    if not listed:
        say("No row has failed.")
