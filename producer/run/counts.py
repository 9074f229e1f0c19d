"""How many of a run's rows stand where, and what is to be said of how many."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable

from producer.run.records import State
from worker.contract.row_warnings import RowWarning


class Counts:
    """Counts of a ledger's rows, counted once and then kept up to date by hand.

    Counting ten million rows takes seconds, and the counts are asked for after every commit.
    """

    def __init__(self, db: sqlite3.Connection, *, knows_warnings: bool) -> None:
        """`knows_warnings`: whether its table has a column for them; that of an earlier version has none."""
        self._db = db
        self._knows_warnings = knows_warnings
        self._states: Counter[State] | None = None
        self._warnings: Counter[RowWarning] | None = None

    def forget(self) -> None:
        """Count anew when next asked."""
        self._states = self._warnings = None

    def states(self) -> Counter[State]:
        """Count the rows by state."""
        if self._states is None:
            found = self._db.execute("SELECT state, count(*) FROM rows GROUP BY state")
            self._states = Counter({State(state): n for state, n in found})
        return self._states.copy()

    def warnings(self) -> Counter[RowWarning]:
        """Count the rows by what is to be said of them; a row may be of several kinds."""
        if self._warnings is None:
            self._warnings = Counter()
            if self._knows_warnings:
                found = self._db.execute(
                    "SELECT warnings, count(*) FROM rows WHERE warnings IS NOT NULL GROUP BY warnings"
                )
                for text, n in found:
                    self._warnings.update(dict.fromkeys(kinds_in(text), n))
        return self._warnings.copy()

    def warnings_of(self, rows: Iterable[int]) -> dict[int, tuple[RowWarning, ...]]:
        """Return what is to be said of rows, by row, where there is something."""
        found = self._db.execute(
            "SELECT row, warnings FROM rows WHERE warnings IS NOT NULL AND row IN (SELECT value FROM json_each(?))",
            (json.dumps([*rows]),),
        )
        return {row: kinds_in(text) for row, text in found}

    def moved(self, before: State | None, after: State, n: int = 1) -> None:
        """Take note that rows have changed their state; None where they are new."""
        if self._states is not None:
            self._states[after] += n
            if before is not None:
                self._states[before] -= n

    def warned(self, kinds: Iterable[RowWarning], *, instead_of: Iterable[RowWarning] = ()) -> None:
        """Take note of what is to be said of a row, and no longer is."""
        if self._warnings is not None:
            self._warnings.update(kinds)
            self._warnings.subtract(instead_of)


def kinds_in(text: str | None) -> tuple[RowWarning, ...]:
    """Read kinds of warnings as `text_of` writes them."""
    return tuple(map(RowWarning, (text or "").split()))


def text_of(kinds: Iterable[RowWarning]) -> str | None:
    """Write kinds of warnings into one field; None where there are none."""
    return " ".join(kinds) or None
