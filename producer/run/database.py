"""The SQLite file of a run: how it is opened, its transactions, and the facts that it holds."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from producer.run import seeds

LEDGER = "run.sqlite"

#: A fact about the run: what its input was when the ledger had every row as it is there (`producer.run.as_sent`).
AS_SENT: Final = "as_sent"

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rows (
    row INTEGER PRIMARY KEY,
    fingerprint TEXT,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,
    warnings TEXT
);
CREATE INDEX IF NOT EXISTS rows_by_state ON rows (state);
CREATE TABLE IF NOT EXISTS tally (key TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
{seeds.SCHEMA}
"""

#: Of ten million rows most have none.
_WARNED = "CREATE INDEX IF NOT EXISTS rows_by_warnings ON rows (warnings) WHERE warnings IS NOT NULL"


class Database:
    """One run's file. Use as a context manager."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.path = folder / LEDGER
        # Never "ro": only a connection that may write can undo a transaction that a killed process left half done.
        mode = "rw" if read_only else "rwc"
        # Autocommit: every transaction is an explicit one.
        self._db = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=30
        )
        if not read_only:
            # No write-ahead log: its shared memory does not work on network shares.
            self._db.execute("PRAGMA journal_mode = DELETE")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)
            if not self.knows_warnings:  # a folder of an earlier version
                self._db.execute("ALTER TABLE rows ADD COLUMN warnings TEXT")
            self._db.execute(_WARNED)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do everything or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @property
    def knows_warnings(self) -> bool:
        """Whether the file has a place for warnings: one of an earlier version that is only looked at has none."""
        return any(name == "warnings" for _, name, *_ in self._db.execute("PRAGMA table_info (rows)"))

    def get(self, key: str) -> str | None:
        """Return a remembered fact about the run."""
        found = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def put(self, key: str, value: str) -> None:
        """Remember a fact about the run."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def forget(self, key: str) -> None:
        """Forget a fact about the run."""
        self._db.execute("DELETE FROM meta WHERE key = ?", (key,))

    @property
    def run(self) -> str:
        """The run's id: random, made with the ledger."""
        if (run := self.get("run")) is None:
            run = secrets.token_hex(8)
            self.put("run", run)
        return run
