"""Rows that Redis has lost: how they are told from rows that wait, and how they are sent again."""

import time
from collections.abc import Callable
from typing import Final

from producer.run.open_run import Run
from producer.run.preconditions import changed_rows
from producer.run.publishing import CHUNK, publish
from producer.run.records import State
from producer.run.replay import replay
from worker.celery import SWEEP
from worker.contract.counting import counted

#: Seconds between two looks. Longer than the workers' sweep, which brings a dead worker's rows back.
_APART: Final = SWEEP + 1.0


class Looks:
    """Tells when rows are lost: two looks in a row, a sweep apart, have found nothing in Redis to wait for.

    One alone could fall into the moment in which a worker has taken a message and not yet noted that it holds it.
    However long rows wait, that alone makes them no lost ones: runs take turns, and the first worker may take days.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, apart: float = _APART) -> None:
        self._clock = clock
        self._apart = apart
        self.begin()

    def begin(self) -> None:
        """Begin anew, with a look that is due at once."""
        self._found_nothing = False
        self._next = self._clock()

    def answered(self) -> None:
        """Take note that an answer came: what was seen before it counts no more."""
        self._found_nothing = False

    def are_lost(self, nothing_there: Callable[[], bool]) -> bool:
        """Look, if it is time, and tell whether the rows are lost."""
        if self._clock() < self._next:
            return False
        self._next = self._clock() + self._apart
        nothing = nothing_there()
        lost = nothing and self._found_nothing
        self._found_nothing = nothing and not lost
        return lost


class Reconciler:
    """The lost rows of one run."""

    def __init__(self, run: Run, looks: Looks | None = None) -> None:
        self._run = run
        self._looks = looks or Looks()

    def after_step(self, *, answers: bool, known: bool) -> None:
        """Look for lost rows after a step of the collection, and send them again.

        `answers`: whether the step brought any. `known`: whether this Redis still knew the run.

        Raises:
            RunError: not one of them can be sent as it was, so that waiting would have no end.

        """
        if answers:
            self._looks.answered()
            return
        if not known:
            self._looks.begin()
        if self._looks.are_lost(lambda: self._run.retrying(self._nothing_there)):
            self._send_again()

    def _nothing_there(self) -> bool:
        # The stream last: a worker answers before it lets go of the message.
        return self._run.queue.idle() and not len(self._run.stream)

    def _send_again(self) -> None:
        """Publish the rows that count as sent, which they go on doing: if this dies, the next look finds the rest."""
        run, sent = self._run, 0
        for rows, _ in replay(run, {State.SENT}, CHUNK):
            requests = [row.request for row in rows if row.request is not None]
            if requests:
                publish(run, requests)
                run.ledger.sent_again(request.row for request in requests)
                sent += len(requests)
        if not sent:
            raise changed_rows(run, run.ledger.states()[State.SENT])
        lost = counted(sent, "row was lost by Redis and is", "rows were lost by Redis and are")
        run.retrying.say(f"{lost} sent again.")
