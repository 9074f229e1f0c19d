"""What a command says before it changes anything, and what it does not do without being told twice."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

import click

from producer.collecting.display import Display, display
from producer.commands.terminal import can_ask, say, stderr
from producer.rows.lines import Line, count_lines, read_lines
from producer.rows.parser import RowParser
from producer.rows.source import Source
from producer.run.decisive import differences, earlier_base, earlier_settings
from producer.run.ledger import Ledger
from producer.run.opening import Run
from producer.run.preconditions import is_forgotten
from producer.run.rates import seconds_per_step
from producer.run.records import State
from producer.sending.plan import Plan, by_counts, by_rows
from worker.contract.counting import counted
from worker.settings.fleet import Settings

redo_option = click.option(
    "--redo", is_flag=True, help="Edit finished rows again where an option that decides their pictures has changed."
)
dry_run_option = click.option(
    "--dry-run", "only_plan", is_flag=True, help="Say what would be done, and change nothing."
)
json_option = click.option("--json", "as_json", is_flag=True, help="With --dry-run: for scripts.")


#: Rows whose comparing takes long enough to say how far it is, and how often that is said.
_MANY: Final = 20_000
_OFTEN: Final = 1000


class _NotAgreed(click.ClickException):
    """A mistake on the command line, but none of the kind that its usage explains."""

    exit_code = click.UsageError.exit_code


def plan_of(run: Run, *, quiet: bool) -> Plan:
    """Find out what is to be done with the rows of a run's input; `quiet`: without a word of how far that is.

    Raises:
        RunError: the input cannot be read.

    """
    # As `Sender.take_up` does it.
    is_gone = run.retrying(lambda: is_forgotten(run.stream, run.revocations))
    return plan(run.source, run.settings, run.ledger, run.parser, whole=False, is_gone=is_gone, quiet=quiet)


def plan(
    source: Source,
    settings: Settings,
    ledger: Ledger | None,
    parser: RowParser,
    *,
    whole: bool,
    is_gone: bool,
    quiet: bool,
) -> Plan:
    """Find out the same of a run that need not be there: then `ledger` is None.

    `is_gone`: whether nothing of it is on its way any more, since its Redis has ended, or it was cancelled.

    Lines are compared where options have changed that decide pictures, or all of it is wanted (`whole`); else the
    counts say enough.
    """
    earlier = None if ledger is None else earlier_settings(ledger)
    then = parser
    because: tuple[str, ...] = ()
    if ledger is not None and earlier is not None:
        base = earlier_base(ledger, parser.base)
        then = parser.under(earlier, base)
        because = differences(earlier, settings, base, parser.base)
    states: Counter[State] = Counter() if ledger is None else ledger.states()
    at_stake = states[State.DONE] or (states[State.SENT] and not is_gone)
    total = count_lines(source.path)
    if not whole and not (because and at_stake):
        return by_counts(total, states, is_gone=is_gone)
    with display(stderr, say, quiet=quiet or total < _MANY, passing=True) as report:
        lines = _told(read_lines(source.path), total, report)
        found = by_rows(lines, ledger, parser, None if earlier is None else then, because, is_gone=is_gone)
    rate = None if ledger is None else seconds_per_step(ledger, settings)
    found.gpu_seconds = None if rate is None else round(rate * found.steps, 3)
    return found


def _told(lines: Iterator[Line], total: int, report: Display) -> Iterator[Line]:
    for number, line in enumerate(lines):
        if not number % _OFTEN:
            report.stage(f"reading the input: {number:,} of {total:,} rows")
        yield line


def agree(found: Plan, *, redo: bool) -> None:
    """Say what will be done; where finished work would be lost to an option, ask for a yes or for `--redo`.

    Raises:
        click.ClickException: there is neither.

    """
    say(in_words(found))
    if not found.lost or redo:
        return
    if can_ask():
        if _confirmed():
            return
        raise _NotAgreed("Nothing was changed.")
    raise _NotAgreed(
        f"{counted(found.lost, 'row that is', 'rows that are')} finished would be edited again, because"
        f" {_and(found.because)}; nothing was changed. Say --redo to do so, or take the option back, or name another"
        " folder with --run-dir."
    )


def _confirmed() -> bool:
    try:
        return click.confirm("Edit them again?", err=True)
    except click.Abort:  # Ctrl-C, or Ctrl-D
        stderr.print()  # the question stays on its line
        return False


def show(found: Plan, *, as_json: bool) -> None:
    """Print a plan as the result of a command that does nothing else."""
    click.echo(json.dumps(found.as_dict()) if as_json else in_words(found))


def in_words(found: Plan) -> str:
    """Put a plan into one sentence."""
    to_do = _each({
        "new": found.new,
        "that failed before": found.failed,
        "that are not done yet": found.unsent,
        "whose lines have changed": found.changed,
        f"finished ones again, because {_and(found.because)}": found.lost,
    })  # fmt: skip
    left = _each({
        "finished": found.finished,
        "on their way": found.on_their_way,
        "kept": found.kept,
        "that cannot be edited": found.bad,
    })  # fmt: skip
    edits = f"{counted(found.to_edit, 'row')} to edit ({to_do})" if found.to_edit else "nothing to edit"
    rest = f"; left alone: {left}" if left else ""
    time = "" if found.gpu_seconds is None else f"; about {timedelta(seconds=round(found.gpu_seconds))} on one GPU"
    return f"Plan: {edits}{rest}{time}."


def _each(rows: Mapping[str, int]) -> str:
    return _and([f"{n:,} {what}" for what, n in rows.items() if n])


def _and(parts: Sequence[str]) -> str:
    return " and ".join([*([", ".join(parts[:-1])] if parts[1:] else []), *parts[-1:]])
