"""`producer retry`: sends rows of a run again, from its folder alone."""

from pathlib import Path

import click

from producer.commands.dry_run import dry_run_option, json_option, print_plan
from producer.commands.hosting import host
from producer.commands.options import broker_option, quiet_option
from producer.commands.terminal import FOLDER, say, say_published
from producer.conducting.flows import retry_rows
from producer.run import opening
from producer.run.failures import broker_errors
from producer.run.open_run import Run
from producer.run.preconditions import are_changed, require_broker, sends_them
from producer.sending.plan_words import in_words
from producer.sending.retry import Which, to_retry
from worker.contract.errors import RunError


@click.command("retry")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--only",
    "which",
    type=click.Choice([which.value for which in Which]),
    default=Which.FAILED.value,
    show_default=True,
    help="Rows that failed, rows without an answer (but for those that a worker has in hand), or both.",
)
@dry_run_option
@json_option
@quiet_option
@broker_option
def retry_command(
    folder: Path, *, which: str, quiet: bool, only_plan: bool, as_json: bool, broker_url: str | None
) -> None:
    """Send rows of the run in DIR again, as they were sent before; takes a cancelled run up again.

    Prints the run folder, like `producer submit`. Rows that were never sent, since a command was cut short, are sent
    too; rows that were added or changed are not.
    """
    asked = host("retry", quiet=quiet)
    with (
        opening.reopen(folder, asked.name, broker_url=broker_url, say=say) as run,
        broker_errors(run.settings),
    ):
        plan = to_retry(run.ledger.states(), Which(which))
        if only_plan:
            print_plan(plan, as_json=as_json)
            return
        if not plan.to_edit and not run.ledger.unanswered:  # a finished run needs no Redis
            say(in_words(plan))
            click.echo(folder)
            return
        _require_broker(run, own=broker_url is None and bool(run.ledger.get("broker")))
        say(in_words(plan))
        retried = retry_rows(run, asked, Which(which))
    click.echo(folder)
    say_published(retried.published, folder)
    if retried.changed:
        say(f"{are_changed(run, retried.changed)}, and left alone; {sends_them(retried.changed)}")


def _require_broker(run: Run, *, own: bool) -> None:
    try:
        require_broker(run.settings, say)
    except RunError:
        if own:
            raise RunError(
                f"The Redis of the run {run.folder} was that of its `producer run`, and has ended with it;"
                " the same `producer run` tries failed rows again, too."
            ) from None
        raise
