"""Seeds that rows were given by `producer redo --new-seed`, above the run's and above their own."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

SCHEMA: Final = "CREATE TABLE IF NOT EXISTS seeds (row INTEGER PRIMARY KEY, seed INTEGER NOT NULL);"


class Seeds:
    """The seeds of one run's ledger, by row."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        # Hardly any run has some, and its rows are asked for by the million.
        tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'seeds'").fetchone()[0]
        self._is_empty = not tables or db.execute("SELECT 1 FROM seeds LIMIT 1").fetchone() is None

    def of(self, row: int) -> int | None:
        """Return the seed that a row was given; None if it was given none."""
        if self._is_empty:
            return None
        found = self._db.execute("SELECT seed FROM seeds WHERE row = ?", (row,)).fetchone()
        return None if found is None else int(found[0])

    def give(self, seeds: Mapping[int, int]) -> None:
        """Give rows seeds."""
        self._db.executemany("INSERT OR REPLACE INTO seeds VALUES (?, ?)", seeds.items())
        self._is_empty = self._is_empty and not seeds

    def forget(self, rows: Iterable[int]) -> None:
        """Drop those of rows that the input no longer has."""
        self._db.executemany("DELETE FROM seeds WHERE row = ?", [(row,) for row in rows])
