"""Sending rows again from the run folder alone: failed ones, unanswered ones, or both."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from producer.run.open_run import Run
from producer.run.records import State
from producer.run.replay import replay
from producer.sending.plan import Plan
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


def to_retry(states: Mapping[State, int], which: Which) -> Plan:
    """Plan by the ledger's counts what `retry` would do; lines that have changed are not known from these."""
    tries_failed, takes_back = which is not Which.UNANSWERED, which is not Which.FAILED
    failed, sent = states[State.FAILED], states[State.SENT]
    return Plan(
        failed=failed if tries_failed else 0,
        unsent=states[State.NOTED] + (sent if takes_back else 0),
        finished=states[State.DONE],
        on_their_way=0 if takes_back else sent,
        kept=states[State.KEPT],
        bad=0 if tries_failed else failed,
    )


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
