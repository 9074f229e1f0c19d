"""The command line as the host of a run: what it says, what it asks, and what it does not do without a yes."""

from contextlib import AbstractContextManager

import click

from producer.collecting.display import Display, display
from producer.collecting.failing import Most
from producer.commands.terminal import can_ask, say, stderr
from producer.conducting.host import Host, Show
from producer.sending.plan import Plan
from producer.sending.plan_words import in_words, would_be_lost

redo_option = click.option(
    "--redo", is_flag=True, help="Edit finished rows again where an option that decides their pictures has changed."
)


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


class NotAgreed(click.ClickException):
    """A mistake on the command line, but none of the kind that its usage explains."""

    exit_code = click.UsageError.exit_code


def host(command: str, *, quiet: bool, redo: bool = False, max_failed: Most | None = None) -> Host:
    """Return the host of a command's run."""
    return Host(
        name=f"producer {command}",
        say=say,
        show=show(quiet=quiet),
        agree=lambda plan: _agree(plan, redo=redo),
        goes_on=_goes_on,
        max_failed=max_failed,
    )


def show(*, quiet: bool) -> Show:
    """Return what shows how far a run is: a bar on a terminal, lines elsewhere, nothing where it is to be quiet."""

    def opened(*, passing: bool = False) -> AbstractContextManager[Display]:
        return display(stderr, say, quiet=quiet, passing=passing)

    return opened


def _agree(found: Plan, *, redo: bool) -> None:
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
        raise NotAgreed("Nothing was changed.")
    raise NotAgreed(would_be_lost(found, redo="--redo", another="--run-dir"))


def _confirmed() -> bool:
    try:
        return click.confirm("Edit them again?", err=True)
    except click.Abort:  # Ctrl-C, or Ctrl-D
        stderr.print()  # the question stays on its line
        return False


def _goes_on(report: Display, sentence: str) -> bool:
    if not can_ask():
        say(f"{sentence} The run goes on; with --max-failed it would end.")
        return True
    with report.paused():
        say(sentence)
        try:
            return click.confirm("Go on all the same?", err=True)
        except click.Abort:  # Ctrl-C, which is to end every command alike, or Ctrl-D
            raise KeyboardInterrupt from None
