"""Collecting: outcomes go from the run's stream into the ledger."""

import json
from collections.abc import Callable, Sequence

from producer.progress import Rate, Reporter, Status, status_of
from producer.run import Run
from worker.errors import RunError
from worker.outcomes import Entry

#: Seconds after the first outcome at which the collector commits what it has.
_PATIENCE = 1.0


class Collector:
    """Moves a run's outcomes into its ledger."""

    def __init__(self, run: Run, report: Reporter) -> None:
        self._run = run
        self._report = report
        self._rate = Rate()

    def step(self, patience: float = _PATIENCE) -> Status:
        """Commit the next outcomes, waiting at most `patience` seconds for them; then delete them from Redis."""
        run = self._run
        entries = run.stream.read(want=run.settings.save_interval, patience=patience)
        outcomes = [entry.outcome for entry in entries if entry.outcome is not None]
        if outcomes:
            run.ledger.apply(outcomes)
            self._rate.add(len(outcomes))
        return self._committed(entries)

    def publish(self) -> None:
        """Publish the ledger's counts, which marks that Redis holds the run's rows."""
        self._run.stream.publish(json.dumps(self.status().as_dict()))

    def _committed(self, committed: Sequence[Entry]) -> Status:
        status = self.status()
        known = self._run.stream.committed(committed, json.dumps(status.as_dict()))
        if not known and status.waiting:
            raise RunError(
                f"Redis came back empty: it holds none of the {status.waiting} unanswered rows of {self._run.folder};"
                " the same command again, or `producer submit`, sends exactly these."
            )
        if committed and not status.waiting:
            self._run.stream.finished()
            self._run.notes.finished()
        return status

    def status(self) -> Status:
        """Return, and report, the ledger's counts."""
        status = status_of(self._run.ledger, self._rate.per_second())
        self._report(status)
        return status

    def drain(self) -> Status:
        """Commit everything that is there now, without waiting for more."""
        while self._run.ledger.unanswered and len(self._run.stream):
            self.step(0.001)
        return self.status()

    def follow(self, check: Callable[[Status], None]) -> Status:
        """Collect until no row is unanswered. `check` is called before each step, and may raise to stop."""
        status = self.drain()
        while status.waiting:
            check(status)
            status = self.step()
        return status
