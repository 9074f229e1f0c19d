"""What a command does about rows that fail and fail: it ends the run, or asks, or warns."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from producer.collecting.display import Display
from producer.collecting.failing import Failing, Most, TooManyFailed
from producer.commands.terminal import can_ask, say
from producer.run.opening import Run
from producer.run.preconditions import how_to_go_on
from producer.sending.cancel import withdraw
from worker.contract.counting import counted
from worker.contract.errors import RunError


def _parsed(ctx: click.Context, param: click.Parameter, value: str | None) -> Most | None:
    try:
        return None if value is None else Most.parse(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", ctx, param) from None


max_failed_option = click.option(
    "--max-failed",
    metavar="N|P%",
    callback=_parsed,
    help=(
        "End the run once more rows than this, or than this share of all, have failed under this command"
        " [default: 100 in a row of one cause ask on a terminal, and are told elsewhere]."
    ),
)


@contextmanager
def ended_by_failures(run: Run, most: Most | None, report: Display, *, resumes: bool = True) -> Iterator[Failing]:
    """Yield what counts a run's failures; where they end it, cancel it, so that no worker goes on failing.

    `resumes`: whether the same command takes the run up again.

    Raises:
        RunError: it was ended; the sentence says of what, and how it goes on.

    """
    try:
        yield Failing(most, _asking(report) if most is None else _warning)
    except TooManyFailed as error:
        run.retrying(lambda: withdraw(run.settings, run.ledger.run))
        rows = counted(run.ledger.unanswered, "row is", "rows are")
        how = "the same command goes on" if resumes else how_to_go_on(run.folder)
        raise RunError(
            f"The run {run.folder} is ended: {str(error).rstrip('.')}. Nothing is lost, {rows} unanswered, and {how}."
        ) from None


def _asking(report: Display) -> Callable[[str], bool]:
    def goes_on(sentence: str) -> bool:
        if not can_ask():
            return _warning(sentence)
        with report.paused():
            say(sentence)
            try:
                return click.confirm("Go on all the same?", err=True)
            except click.Abort:  # Ctrl-C, which is to end every command alike, or Ctrl-D
                raise KeyboardInterrupt from None

    return goes_on


def _warning(sentence: str) -> bool:
    say(f"{sentence} The run goes on; with --max-failed it would end.")
    return True
