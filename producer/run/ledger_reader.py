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

    def forms(self, states: Collection[State], rows: Iterable[int]) -> dict[int, str | None]:
        """Return the fingerprints of those of the rows that are in one of the states, by row."""
        found = self._db.execute(
            # The plus keeps SQLite from going through all rows in these states.
            "SELECT row, fingerprint FROM rows WHERE row IN (SELECT value FROM json_each(?))"
            " AND +state IN (SELECT value FROM json_each(?))",
            (json.dumps([*rows]), json.dumps([*states])),
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
        """Iterate over the rows by their numbers."""
        for row, digest, state, attempts, outcome in self._db.execute(
            "SELECT row, fingerprint, state, attempts, outcome FROM rows ORDER BY row"
        ):
            yield Record(row, digest, State(state), attempts, outcome)

    def said(self, rows: Iterable[int]) -> dict[int, tuple[Record, bool]]:
        """Return what is remembered of rows, by row, each with whether there is a warning of it."""
        found = self._db.execute(
            "SELECT row, fingerprint, state, attempts, outcome, warnings IS NOT NULL FROM rows"
            " WHERE row IN (SELECT value FROM json_each(?))",
            (json.dumps([*rows]),),
        )
        return {
            row: (Record(row, digest, State(state), attempts, outcome), bool(is_warned))
            for row, digest, state, attempts, outcome, is_warned in found
        }

    def failed(self) -> Iterator[Record]:
        """Iterate over the failed rows by their numbers, without a look at the others."""
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

    def records_of(self, rows: Iterable[int]) -> dict[int, Record]:
        """Return what is remembered of rows, by row: a look that holds up no writer."""
        found = self._db.execute(
            "SELECT row, fingerprint, state, attempts, outcome FROM rows WHERE row IN (SELECT value FROM json_each(?))",
            (json.dumps([*rows]),),
        ).fetchall()
        return {row: Record(row, digest, State(state), *others) for row, digest, state, *others in found}
