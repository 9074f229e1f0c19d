"""Sending rows: noted, announced, published and noted as sent, never more at a time than the window allows."""

from collections.abc import Callable, Iterable, Sequence

from producer.collecting.causes import Failure
from producer.collecting.collector import Collector
from producer.collecting.progress import Status
from producer.rows.parser import Row
from producer.run.manifest import remember_broker
from producer.run.open_run import Run
from producer.run.preconditions import require_wanted
from producer.run.publishing import CHUNK, publish
from producer.run.records import Entry, Noted, State
from producer.sending.window import Window
from worker.contract.messages import EditRequest, Outcome


class Sender:
    """Sends rows of one run, and collects outcomes while the window is full."""

    def __init__(
        self,
        run: Run,
        collector: Collector,
        *,
        check: Callable[[Status], None],
        before_first: Callable[[], None] = lambda: None,
        foresee: Callable[[Sequence[EditRequest]], Sequence[Outcome]] = lambda _: (),
        noted: Callable[[Iterable[int]], None] = lambda _: None,
    ) -> None:
        """`before_first` is called before the first row that is to be published is noted, and never if there is none.

        `foresee` is given the rows that are about to be sent, and returns the outcomes of those that need no worker.

        `check` is called while there is no room, and may raise to stop.

        `noted` is told of which rows the ledger has what they are now, before any answer to these is told.
        """
        self._run = run
        self._collector = collector
        self._check = check
        self._before_first = before_first
        self._foresee = foresee
        self._noted = noted
        #: Most rows to send at once.
        self.most = min(CHUNK, run.settings.max_queued)
        #: Rows that were published so far.
        self.published = 0
        self._window = Window(run.settings.max_queued)

    def take_up(self) -> None:
        """Begin: find out which rows are on their way, and collect what is there.

        A Redis that does not know the run came back empty or is another one, and has none of its rows. Of a cancelled
        run workers have dropped them; what one of them gave back since is removed, so that no row is there twice.
        """
        run = self._run
        is_cancelled = run.retrying(lambda: run.revocations.cancelled)
        if is_cancelled or run.retrying(run.stream.status) is None:
            run.retrying(run.queue.purge)
            run.ledger.recall()
        elif run.ledger.states()[State.NOTED]:
            # A command died, and nobody knows whether it had published these rows.
            self.take_back()
        else:
            run.retrying(run.queue.purge_others)  # what is sent with another demand than before is sent anew
        remember_broker(run.ledger, run.settings)
        # Last, so that a crash before it leaves the run cancelled, and nothing is waited for that was dropped.
        run.retrying(run.revocations.take_up)
        self._collector.drain()

    def take_back(self) -> None:
        """Take the run's rows out of the queue, so that they can be sent; what a worker has in hand stays there."""
        run = self._run
        for _ in range(2):  # a worker may have given some back meanwhile
            run.retrying(run.queue.purge)
            held = run.retrying(run.queue.in_hand)
        run.ledger.recall(but=held)

    def send(self, rows: Sequence[Row]) -> None:
        """Send those of at most `most` rows that are to be sent, once there is room for them.

        Raises:
            TooManyFailed: more rows have failed than may.
            RunError: the run was cancelled.

        """
        run = self._run
        require_wanted(run)
        changed = run.ledger.changed([_entry(row) for row in rows])
        if not changed:
            self._tell(rows)
            return
        wanted = _requests(rows, {entry.row for entry in changed if entry.state is State.NOTED})
        foreseen = {outcome.row: outcome for outcome in self._foresee(wanted)}
        if not self.published and len(foreseen) < len(wanted):
            self._before_first()
        run.remember()
        noted = run.retrying(lambda: run.ledger.note(changed, lambda noted: self._announce(rows, noted)))
        self._tell(rows)
        run.ledger.apply(foreseen.values())
        self._collector.failing.known(_failed(changed, foreseen.values()))
        self._collector.answered([*foreseen, *(entry.row for entry in changed if entry.state is State.FAILED)])
        self._collector.failing.check(self._collector.status().total)
        requests = _requests(rows, noted.wanted - foreseen.keys())
        if not requests:
            return
        if not self.published:
            self._collector.publish()  # from here on this Redis knows the run
        self._window.add(requests)
        room = max(0, self._window.rows - len(requests))
        self._collector.until(lambda _: run.ledger.states()[State.SENT] <= room, self._check)
        publish(run, requests)
        # A crash before this line publishes the rows again; workers know the finished ones.
        run.ledger.sent(request.row for request in requests)
        self.published += len(requests)

    def _tell(self, rows: Sequence[Row]) -> None:
        if self._run.takes_over is None:  # else it may still become another run
            self._noted(row.line.row for row in rows)

    def finish(self) -> int:
        """Publish the counts, and return how many rows were published."""
        self._run.remember()  # what changes no row
        if self.published:
            self._collector.publish()
        if self._run.ledger.unanswered:  # with a priority that may be another than before
            self._run.retrying(self._run.announce)
        return self.published

    def _announce(self, rows: Sequence[Row], noted: Noted) -> None:
        again = {request.row: request.fingerprint for request in _requests(rows, noted.known)}
        self._run.revocations.supersede(noted.superseded, again)


def _requests(rows: Sequence[Row], wanted: set[int]) -> list[EditRequest]:
    return [row.request for row in rows if row.request is not None and row.line.row in wanted]


def _failed(entries: Iterable[Entry], outcomes: Iterable[Outcome]) -> list[Failure]:
    """Return the failures that are known without a worker."""
    unsent = [Failure(entry.row, entry.error) for entry in entries if entry.error is not None]
    return unsent + [Failure(outcome.row, outcome.error) for outcome in outcomes if outcome.error is not None]


def _entry(row: Row) -> Entry:
    if row.request is not None:
        return Entry(row.line.row, row.request.fingerprint, State.NOTED, warnings=row.warnings)
    return Entry(row.line.row, None, State.KEPT if row.kept else State.FAILED, row.error, row.warnings)
