"""Answers that wait in Redis for a collector: what they add to a run's counts, in little memory, however many."""

from collections import Counter
from dataclasses import replace

from producer.collecting.causes import Failure, Tally
from producer.collecting.pace import Recent
from producer.collecting.progress import Status
from producer.rows.numbers import Numbers
from producer.run.calculations import Calculation
from producer.run.ledger import Ledger
from worker.contract.outcomes import Entry


class Uncollected:
    """Counts the answers of one run that are news to its ledger."""

    def __init__(self, ledger: Ledger, now: float) -> None:
        """`now`: seconds by Redis' clock."""
        self._ledger = ledger
        self._seen = Numbers()
        self._done = 0
        self._workers: Counter[str] = Counter()
        self._warnings: Counter[str] = Counter()
        self._answered_at: dict[str, float] = {}
        #: How fast they came, news or not.
        self.pace = Recent(now)
        self.failed = Tally()
        #: How rows were calculated, and by whom.
        self.made: Counter[tuple[Calculation, str]] = Counter()

    @property
    def rows(self) -> int:
        """How many rows they answer."""
        return self._done + self.failed.rows

    def add(self, entry: Entry) -> None:
        """Take note of what stands in the stream; of a row that was delivered twice the first answer counts."""
        self.pace.add(entry.at)
        outcome = entry.outcome
        if outcome is None:
            return
        self._answered_at[outcome.worker] = entry.at
        if not self._ledger.awaited(outcome) or not self._seen.add(outcome.row):
            return
        self._workers[outcome.worker] += 1
        self._warnings.update(kind.value for kind in outcome.warnings)
        if outcome.status == "done":
            self._done += 1
            if (made := Calculation.of(outcome)) is not None:
                self.made[made, outcome.worker] += 1
        else:
            self.failed.add(Failure(outcome.row, outcome.error or ""))

    def added_to(self, status: Status) -> Status:
        """Return counts with these in them."""
        return replace(
            status,
            done=status.done + self._done,
            failed=status.failed + self.failed.rows,
            waiting=max(0, status.waiting - self.rows),
            workers=dict(Counter(status.workers) + self._workers),
            warnings=dict(Counter(status.warnings) + self._warnings),
            answered_at={**status.answered_at, **self._answered_at},
        )
