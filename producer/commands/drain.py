"""`producer drain`: ends workers without a row given back."""

import click

from producer.collecting.draining import await_ends, drain
from producer.commands.options import broker_option
from producer.commands.terminal import say
from producer.run.failures import broker_errors
from producer.run.preconditions import require_broker
from worker.settings.fleet import load_settings


@click.command("drain")
@click.argument("names", metavar="[WORKER]...", nargs=-1)
@click.option("--all", "everybody", is_flag=True, help="Every worker that is up.")
@click.option("--no-wait", is_flag=True, help="Return once they take no more rows, not once they have ended.")
@broker_option
def drain_command(names: tuple[str, ...], *, everybody: bool, no_wait: bool, broker_url: str | None) -> None:
    """Have workers take no more rows, finish those in hand, and end with 0; wait for it.

    WORKER is a name as `producer status` shows it, such as gpu0@host. A supervisor that starts again whatever ends
    must be told itself.
    """
    if bool(names) == everybody:
        raise click.UsageError("Name workers, as `producer status` shows them, or all of them with --all.")
    settings = load_settings(broker_url=broker_url)
    require_broker(settings, say, looking=True)  # Celery's own way there would take seconds to find out
    with broker_errors(settings, looking=True):
        drained = drain(settings, names)
        for name, rows in drained.items():
            say(f"{name} takes no more rows, and finishes {rows} in hand.")
        if not no_wait:
            await_ends(settings, [*drained], lambda name: say(f"{name} has ended."))
