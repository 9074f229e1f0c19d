"""Sending rows again from the run folder alone: failed ones, unanswered ones, or both."""

from enum import StrEnum
from typing import NamedTuple

from producer.run.opening import Run
from producer.run.records import State
from producer.run.replay import replay
from producer.sending.sender import Sender


class Which(StrEnum):
    """Rows to send again."""

    FAILED = "failed"
    UNANSWERED = "unanswered"
    ALL = "all"


class Retried(NamedTuple):
    """What came of it."""

    published: int
    #: Rows that were not sent, since their lines are not what they were.
    changed: int


def retry(run: Run, sender: Sender, which: Which) -> Retried:
    """Send rows again as they were. Rows that were never sent, since a command was cut short, are sent in any case.

    Raises:
        RunError: the input cannot be read, or the run was cancelled meanwhile.

    """
    sender.take_up()
    if which is not Which.FAILED:
        sender.take_back()
    states = {State.NOTED} if which is Which.UNANSWERED else {State.NOTED, State.FAILED}
    changed = 0
    for found in replay(run, states, sender.most):
        changed += found.changed
        if found.rows:
            sender.send(found.rows)
    return Retried(sender.finish(), changed)
