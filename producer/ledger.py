"""The run folder's memory: a SQLite ledger of every row."""

import json
import secrets
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from producer.records import Entry, Noted, Record, State
from worker.contract import Outcome

LEDGER = "run.sqlite"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rows (
    row INTEGER PRIMARY KEY,
    fingerprint TEXT,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    outcome TEXT
);
CREATE INDEX IF NOT EXISTS rows_by_state ON rows (state);
CREATE TABLE IF NOT EXISTS tally (key TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
"""


class Ledger:
    """The ledger of one run. Use as a context manager."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.path = folder / LEDGER
        # Never "ro": only a connection that may write can undo a transaction that a killed process left half done.
        mode = "rw" if read_only else "rwc"
        # Autocommit: every transaction below is an explicit one.
        self._db = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=30
        )
        if not read_only:
            # No write-ahead log: its shared memory does not work on network shares.
            self._db.execute("PRAGMA journal_mode = DELETE")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)
        # Kept up to date by hand: counting ten million rows takes seconds, and it is asked after every commit.
        self._counts: Counter[State] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._counts = None
            raise

    # -- the run itself

    def get(self, key: str) -> str | None:
        """Return a remembered fact about the run."""
        found = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def put(self, key: str, value: str) -> None:
        """Remember a fact about the run."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    @property
    def run(self) -> str:
        """The run's id: random, made with the ledger."""
        if (run := self.get("run")) is None:
            run = secrets.token_hex(8)
            self.put("run", run)
        return run

    # -- its rows

    def note(self, entries: Sequence[Entry], announce: Callable[[Noted], None] | None = None) -> Noted:
        """Remember rows of the input, which follow one another; return what is to be done about them.

        `announce` is called before anything is committed, so that a crash cannot forget which rows changed.

        A finished row is left alone unless it changed. A failed one is tried again: its file may be there
        by now. An unanswered one that was sent is still on its way.
        """
        first, last = entries[0].row, entries[-1].row
        found = self._db.execute("SELECT row, fingerprint, state FROM rows WHERE row BETWEEN ? AND ?", (first, last))
        known = {row: (digest, State(state)) for row, digest, state in found}
        changed = [
            entry
            for entry in entries
            if known.get(entry.row) not in {(entry.fingerprint, state) for state in (State.SENT, State.DONE)}
            or entry.fingerprint is None
        ]
        noted = _consequences(changed, known)
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO rows (row, fingerprint, state, outcome) VALUES (?, ?, ?, ?) ON CONFLICT (row)"
                " DO UPDATE SET fingerprint = excluded.fingerprint, state = excluded.state, outcome = excluded.outcome",
                [
                    (entry.row, entry.fingerprint, entry.state, entry.error and json.dumps({"error": entry.error}))
                    for entry in changed
                ],
            )
            if announce is not None:
                announce(noted)
        for entry in changed:
            self._moved(known[entry.row][1] if entry.row in known else None, entry.state)
        return noted

    def forget_from(self, row: int) -> None:
        """Drop rows that the input no longer has."""
        if self._db.execute("DELETE FROM rows WHERE row >= ?", (row,)).rowcount:
            self._counts = None

    def sent(self, rows: Iterable[int]) -> None:
        """Note that these rows were published."""
        with self._transaction() as db:
            moved = db.executemany(
                "UPDATE rows SET state = ?, attempts = attempts + 1 WHERE row = ? AND state = ?",
                [(State.SENT, row, State.NOTED) for row in rows],
            ).rowcount
            self._moved(State.NOTED, State.SENT, max(0, moved))

    def recall(self) -> None:
        """Count every unanswered row as not sent: their messages are lost."""
        self._db.execute("UPDATE rows SET state = ? WHERE state = ?", (State.NOTED, State.SENT))
        self._counts = None

    def apply(self, outcomes: Iterable[Outcome]) -> None:
        """Record outcomes in one transaction. Twice changes nothing, and a stale one never wins over a changed row."""
        with self._transaction() as db:
            for outcome in outcomes:
                self._answer(db, outcome)

    def _answer(self, db: sqlite3.Connection, outcome: Outcome) -> None:
        state = State.DONE if outcome.status == "done" else State.FAILED
        # NOTED: the producer died after it had published the row and before it noted that.
        for before in (State.SENT, State.NOTED):
            answered = db.execute(
                "UPDATE rows SET state = ?, outcome = ? WHERE row = ? AND fingerprint = ? AND state = ?",
                (state, outcome.encode(), outcome.row, outcome.fingerprint, before),
            ).rowcount
            if answered:
                self._moved(before, state)
                self._count(db, outcome)

    def awaited(self, outcome: Outcome) -> bool:
        """Tell whether an outcome is news: an answer to an unanswered row, in its present form."""
        found = self._db.execute("SELECT fingerprint, state FROM rows WHERE row = ?", (outcome.row,)).fetchone()
        return found is not None and found[0] == outcome.fingerprint and found[1] in {State.NOTED, State.SENT}

    def _count(self, db: sqlite3.Connection, outcome: Outcome) -> None:
        keys = [f"worker:{outcome.worker}"]
        if outcome.batch_size is not None:
            keys += ["batched", *(["full"] if outcome.batch_size == outcome.batch_limit else [])]
        db.executemany(
            "INSERT INTO tally VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET n = n + 1",
            [(key,) for key in keys],
        )

    def states(self) -> Counter[State]:
        """Count the rows by state."""
        if self._counts is None:
            found = self._db.execute("SELECT state, count(*) FROM rows GROUP BY state")
            self._counts = Counter({State(state): n for state, n in found})
        return self._counts.copy()

    @property
    def unanswered(self) -> int:
        """Rows that are neither done nor failed."""
        states = self.states()
        return states[State.NOTED] + states[State.SENT]

    def _moved(self, before: State | None, after: State, n: int = 1) -> None:
        if self._counts is not None:
            self._counts[after] += n
            if before is not None:
                self._counts[before] -= n

    def tally(self) -> dict[str, int]:
        """Return the counts of answered rows: by worker, in batches, in full batches."""
        return dict(self._db.execute("SELECT key, n FROM tally").fetchall())

    def records(self) -> Iterator[Record]:
        """Iterate over the rows in the input's order."""
        for row, digest, state, attempts, outcome in self._db.execute(
            "SELECT row, fingerprint, state, attempts, outcome FROM rows ORDER BY row"
        ):
            yield Record(row, digest, State(state), attempts, outcome)


def _consequences(changed: Iterable[Entry], known: Mapping[int, tuple[str | None, State]]) -> Noted:
    wanted, superseded = set(), {}
    for entry in changed:
        if entry.state is State.NOTED:
            wanted.add(entry.row)
        before, state = known.get(entry.row, (None, None))
        # NOTED, too: a producer that died may have published the row without noting that.
        if state in {State.NOTED, State.SENT} and before != entry.fingerprint:
            superseded[entry.row] = entry.fingerprint or ""
    return Noted(wanted=wanted, superseded=superseded, known=wanted & known.keys())
