"""`producer submit`: sends an input's rows to the workers."""

from pathlib import Path
from typing import Any

import click

from producer.collecting.failing import Most
from producer.commands.dry_run import dry_run, dry_run_option, json_option
from producer.commands.hosting import host, max_failed_option, redo_option
from producer.commands.options import quiet_option, run_options
from producer.commands.terminal import input_argument, run_folder, say, say_published, say_rounding, taken_input
from producer.conducting.flows import send
from producer.rows.lines import count_lines
from producer.rows.remarks import left_alone
from producer.run import opening
from producer.run.failures import broker_errors
from producer.run.preconditions import require_broker
from producer.run.records import State
from worker.contract.counting import counted
from worker.settings.fleet import load_settings


@click.command("submit")
@input_argument
@run_options
@click.option("--detach", is_flag=True, help="Never wait for room: refuse an input of more rows than --max-queued.")
@redo_option
@max_failed_option
@quiet_option
@dry_run_option
@json_option
def submit_command(
    named: Path,
    *,
    detach: bool,
    redo: bool,
    max_failed: Most | None,
    quiet: bool,
    only_plan: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Send the rows of INPUT.jsonl ("-": standard input) to the workers.

    Prints the run folder once every row is published; `producer collect` brings the results. The same
    command again sends only what is new, changed, failed or lost.
    """
    settings = load_settings(**given)
    if only_plan:
        dry_run(named, settings, quiet=quiet, as_json=as_json)
        return
    require_broker(settings, say)
    folder = run_folder(named, settings)
    with taken_input(named, folder) as source:
        if detach and (rows := count_lines(source.path)) > settings.max_queued:
            most = counted(settings.max_queued, "row")
            raise click.UsageError(f"--detach takes at most {most} (--max-queued), found {rows:,}.")
        say_rounding(settings)
        asked = host("submit", quiet=quiet, redo=redo, max_failed=max_failed)
        with broker_errors(settings), opening.create(source, folder, settings, asked.name, say=say) as run:
            published = send(run, asked)
            states = run.ledger.states()
    click.echo(folder)
    say_published(published, folder)
    if (sentence := left_alone(states[State.KEPT], states.total(), settings)) is not None:
        say(sentence)
