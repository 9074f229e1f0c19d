"""Collecting: outcomes go from the run's stream into the ledger."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from producer.collecting.failing import Failing
from producer.collecting.progress import Reporter, Status, status_of
from producer.collecting.reconcile import Reconciler
from producer.collecting.speed import Busy, Rate
from producer.run.open_run import Run
from producer.run.preconditions import require_wanted

#: Seconds after the first outcome at which the collector commits what it has.
_PATIENCE = 1.0

#: Seconds after which workers are told again that the run goes on.
_ANNOUNCED = 5.0


class _Step(NamedTuple):
    """What one step of the collection has found."""

    #: Outcomes that are in the ledger now.
    outcomes: int
    #: Whether anything was in the stream.
    answers: bool
    #: Whether Redis knew the run.
    known: bool


class Collector:
    """Moves a run's outcomes into its ledger."""

    def __init__(
        self,
        run: Run,
        report: Reporter,
        *,
        total: int = 0,
        failing: Failing | None = None,
        answered: Callable[[Iterable[int]], None] = lambda _: None,
    ) -> None:
        """`total`: rows of the input, as far as they are known before all of them are in the ledger.

        `failing` is told which rows fail, and asked before each step whether the run goes on. `answered` is told the
        numbers of rows that are answered, once the ledger has it.
        """
        self._run = run
        self.failing = failing or Failing()
        self.answered = answered
        self._total = total
        self._report = report
        self._rate = Rate()
        self._busy = Busy(before=status_of(run.ledger, 0).gpu_seconds)
        self._announced = float("-inf")

    def publish(self) -> None:
        """Publish the ledger's counts, which marks that Redis holds the run's rows."""
        status = json.dumps(self.status().as_dict())
        self._run.retrying(lambda: self._run.stream.publish(status))

    def status(self) -> Status:
        """Return, and report, the ledger's counts."""
        status = self._status()
        self._report(status)
        return status

    def _status(self) -> Status:
        run = self._run
        status = status_of(run.ledger, self._rate.per_second(), total=self._total)
        return replace(
            status,
            busy=self._busy.of(status),
            run=run.ledger.run,
            folder=str(run.folder.absolute()),
            model=run.settings.model,
        )

    def drain(self) -> Status:
        """Commit everything that is there now, without waiting for more."""
        while self._run.ledger.unanswered and self._run.retrying(lambda: len(self._run.stream)):
            self._step(0.001)
        return self.status()

    def follow(self, check: Callable[[Status], None]) -> Status:
        """Collect until no row is unanswered; see `until`."""
        return self.until(lambda status: not status.waiting, check)

    def until(self, enough: Callable[[Status], bool], check: Callable[[Status], None]) -> Status:
        """Collect until it is enough. `check` is called before each step, and may raise to stop.

        Rows that Redis has lost meanwhile are sent again.

        Raises:
            TooManyFailed: more rows have failed than may.
            RunError: the run was cancelled, or rows that were lost cannot be sent again as they were.

        """
        run, reconciler = self._run, Reconciler(self._run)
        while not enough(status := self.status()):
            self.failing.check(status.total)
            run.retrying(partial(check, status))
            step = self._step(_PATIENCE)
            if not run.ledger.unanswered:  # nothing is left that could be cancelled or lost
                continue
            require_wanted(run)
            if not step.known:
                self.publish()
            reconciler.after_step(answers=step.answers, known=step.known)
        return status

    def _step(self, patience: float) -> _Step:
        """Commit the next outcomes, waiting at most `patience` seconds for them; then delete them from Redis."""
        step = self._run.retrying(lambda: self._commit(patience))
        if step.outcomes:
            self._rate.add(step.outcomes)
        return step

    def _commit(self, patience: float) -> _Step:
        run = self._run
        self._go_on()
        entries = run.stream.read(want=run.settings.save_interval, patience=patience)
        outcomes = [entry.outcome for entry in entries if entry.outcome is not None]
        if outcomes:
            seen = {entry.outcome.worker: entry.at for entry in entries if entry.outcome}
            news = run.ledger.apply(outcomes, seen)
            self.failing.answered(news)
            self.answered(outcome.row for outcome in news)
        status = self._status()
        known = run.stream.committed(entries, json.dumps(status.as_dict()))
        if entries and not status.waiting:
            run.queue.purge()  # of rows that were sent twice
            run.stream.finished()
            run.revocations.finished()
            run.shared_parts.finished()
        return _Step(len(outcomes), bool(entries), known)

    def _go_on(self) -> None:
        """Say that the run goes on, also to a Redis that has lost it; a second is as good as another."""
        now = time.monotonic()
        if now - self._announced >= _ANNOUNCED and self._run.ledger.unanswered:
            self._run.announce()
            self._announced = now
