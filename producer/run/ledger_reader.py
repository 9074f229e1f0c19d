"""Reading a ledger: what is known of rows, and how many there are of each kind."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from producer.run.calculations import Calculations
from producer.run.counts import Counts, kinds_in
from producer.run.database import Database
from producer.run.records import Answer, Entry, Known, Record, State
from producer.run.seeds import Seeds
from worker.contract.messages import Outcome
from worker.contract.row_warnings import RowWarning


class LedgerReader(Database):
    """What can be asked of a run's ledger."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        super().__init__(folder, read_only=read_only)
        self._counts = Counts(self._db, knows_warnings=self.knows_warnings)
        self.seeds = Seeds(self._db)
        self.calculations = Calculations(self._db)

    def known(self, rows: Iterable[int]) -> dict[int, Known]:
        """Return what is known of rows."""
        found = self._db.execute(
            "SELECT row, fingerprint, state FROM rows WHERE row IN (SELECT value FROM json_each(?))",
            (json.dumps([*rows]),),
        )
        return {row: Known(digest, State(state)) for row, digest, state in found}

    def changed(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return those rows of the input that are to be noted.

        A finished row is left alone unless it changed. A failed one is tried again: its file may be there
        by now. An unanswered one that was sent is still on its way.
        """
        known = self.known(entry.row for entry in entries)
        return [
            entry
            for entry in entries
            if entry.fingerprint is None
            or known.get(entry.row) not in {Known(entry.fingerprint, state) for state in (State.SENT, State.DONE)}
        ]

    def forms(self, states: Collection[State], first: int, last: int) -> dict[int, str | None]:
        """Return the fingerprints of the rows from `first` to `last` that are in one of the states, by row."""
        marks = ", ".join("?" * len(states))
        found = self._db.execute(
            f"SELECT row, fingerprint FROM rows WHERE row BETWEEN ? AND ? AND state IN ({marks})",  # noqa: S608 - marks
            (first, last, *states),
        )
        return dict(found.fetchall())

    def awaited(self, outcome: Outcome) -> bool:
        """Tell whether an outcome is news: an answer to an unanswered row, in its present form."""
        found = self._db.execute("SELECT fingerprint, state FROM rows WHERE row = ?", (outcome.row,)).fetchone()
        return found is not None and found[0] == outcome.fingerprint and found[1] in {State.NOTED, State.SENT}

    def states(self) -> Counter[State]:
        """Count the rows by state."""
        return self._counts.states()

    def warnings(self) -> Counter[RowWarning]:
        """Count the rows by what is to be said of them; a row may be of several kinds."""
        return self._counts.warnings()

    @property
    def unanswered(self) -> int:
        """Rows that are neither done nor failed."""
        states = self.states()
        return states[State.NOTED] + states[State.SENT]

    def tally(self) -> dict[str, int]:
        """Return the counts of answered rows: by worker, by calculation, in batches, in full batches; and `seen`."""
        return dict(self._db.execute("SELECT key, n FROM tally").fetchall())

    def records(self) -> Iterator[Record]:
        """Iterate over the rows in the input's order."""
        for row, digest, state, attempts, outcome in self._db.execute(
            "SELECT row, fingerprint, state, attempts, outcome FROM rows ORDER BY row"
        ):
            yield Record(row, digest, State(state), attempts, outcome)

    def said(self) -> Iterator[tuple[Record, bool]]:
        """Iterate over the rows in the input's order, each with whether there is a warning of it."""
        for row, digest, state, attempts, outcome, is_warned in self._db.execute(
            "SELECT row, fingerprint, state, attempts, outcome, warnings IS NOT NULL FROM rows ORDER BY row"
        ):
            yield Record(row, digest, State(state), attempts, outcome), bool(is_warned)

    def failed(self) -> Iterator[Record]:
        """Iterate over the failed rows in the input's order, without a look at the others."""
        for row, digest, state, attempts, outcome in self._db.execute(
            "SELECT row, fingerprint, state, attempts, outcome FROM rows WHERE state = ? ORDER BY row", (State.FAILED,)
        ):
            yield Record(row, digest, State(state), attempts, outcome)

    def answers(self, rows: Iterable[int]) -> list[Answer]:
        """Return what became of rows, as far as they are answered, by their numbers."""
        return self._answers("row IN (SELECT value FROM json_each(?)) ORDER BY row", json.dumps([*rows]))

    def answers_after(self, row: int, most: int) -> list[Answer]:
        """Return what became of the first `most` rows that are answered and have higher numbers."""
        return self._answers("row > ? ORDER BY row LIMIT ?", row, most)

    def _answers(self, which: str, *values: object) -> list[Answer]:
        warnings = "warnings" if self.knows_warnings else "NULL"
        found = self._db.execute(
            f"SELECT row, state, outcome, {warnings} FROM rows"  # noqa: S608 - ours
            f" WHERE state IN ({State.DONE:d}, {State.FAILED:d}, {State.KEPT:d}) AND {which}",
            values,
        ).fetchall()
        return [Answer(row, State(state), outcome, kinds_in(text)) for row, state, outcome, text in found]

    def records_between(self, first: int, last: int, step: int = 1) -> dict[int, Record]:
        """Return what is remembered of every `step`-th row from `first` to `last`: a look that holds up no writer."""
        found = self._db.execute(
            "SELECT row, fingerprint, state, attempts, outcome FROM rows WHERE row BETWEEN ? AND ? AND row % ? = 0",
            (first, last, step),
        ).fetchall()
        return {row: Record(row, digest, State(state), *others) for row, digest, state, *others in found}
