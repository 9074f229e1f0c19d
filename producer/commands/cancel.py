"""`producer cancel`: stops a run, whoever is at work on it."""

from pathlib import Path

import click

from producer.commands.options import broker_option
from producer.commands.terminal import FOLDER, say
from producer.sending.cancel import cancel


@click.command("cancel")
@click.argument("folder", metavar="DIR", type=FOLDER)
@broker_option
def cancel_command(folder: Path, *, broker_url: str | None) -> None:
    """Stop the run in DIR, whoever is at work on it: its rows leave the queue, and workers drop those they hold.

    What is done stays. The same `producer submit` takes the run up again, and so does `producer retry`.
    """
    say(cancel(folder, say, broker_url))
