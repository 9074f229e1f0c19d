"""The run folder's memory: a ledger of every row."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

from producer.rows.numbers import Numbers
from producer.run.answers import moves, news_among, state_after, tallied
from producer.run.counts import text_of
from producer.run.database import AS_SENT, LEDGER
from producer.run.ledger_reader import LedgerReader
from producer.run.records import Entry, Noted, State
from worker.contract.messages import Outcome

__all__ = ["LEDGER", "Ledger"]


class Ledger(LedgerReader):
    """The ledger of one run. Use as a context manager."""

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do everything or nothing."""
        try:
            with super().transaction() as db:
                yield db
        except BaseException:
            self._counts.forget()
            raise

    def note(self, entries: Sequence[Entry], announce: Callable[[Noted], None] | None = None) -> Noted:
        """Remember rows of the input, as far as they are `changed`; return what is to be done about them.

        `announce` is called before anything is committed, so that a crash cannot forget which rows changed.
        """
        changed = self.changed(entries)
        rows = [entry.row for entry in changed]
        known, warned = self.known(rows), self._counts.warnings_of(rows)
        noted = Noted.of(changed, known)
        with self.transaction() as db:
            db.executemany(
                "INSERT INTO rows (row, fingerprint, state, outcome, warnings) VALUES (?, ?, ?, ?, ?) ON CONFLICT (row)"
                " DO UPDATE SET fingerprint = excluded.fingerprint, state = excluded.state, outcome = excluded.outcome,"
                " warnings = excluded.warnings",
                [
                    (
                        entry.row,
                        entry.fingerprint,
                        entry.state,
                        entry.error and json.dumps({"error": entry.error}),
                        text_of(entry.warnings),
                    )
                    for entry in changed
                ],
            )
            if any(entry.row not in known or known[entry.row].fingerprint != entry.fingerprint for entry in changed):
                self.forget(AS_SENT)
            if announce is not None:
                announce(noted)
        for entry in changed:
            self._counts.moved(known[entry.row].state if entry.row in known else None, entry.state)
            self._counts.warned(entry.warnings, instead_of=warned.get(entry.row, ()))
        return noted

    def forget_others(self, rows: Numbers) -> None:
        """Drop rows that the input no longer has; `rows` are those that it has, all of which were noted."""
        if self.states().total() == len(rows):
            return
        gone = [(row,) for (row,) in self._db.execute("SELECT row FROM rows") if row not in rows]
        with self.transaction() as db:
            db.executemany("DELETE FROM rows WHERE row = ?", gone)
            self.seeds.forget(row for (row,) in gone)
            self.forget(AS_SENT)
        self._counts.forget()

    def sent(self, rows: Iterable[int]) -> None:
        """Note that these rows were published."""
        with self.transaction() as db:
            moved = db.executemany(
                "UPDATE rows SET state = ?, attempts = attempts + 1 WHERE row = ? AND state = ?",
                [(State.SENT, row, State.NOTED) for row in rows],
            ).rowcount
            self._counts.moved(State.NOTED, State.SENT, max(0, moved))

    def sent_again(self, rows: Iterable[int]) -> None:
        """Note that these rows, which count as sent, were published once more."""
        with self.transaction() as db:
            db.executemany(
                "UPDATE rows SET attempts = attempts + 1 WHERE row = ? AND state = ?",
                [(row, State.SENT) for row in rows],
            )

    def undo(
        self,
        rows: Iterable[int],
        *,
        seeds: Mapping[int, int] = MappingProxyType({}),
        drop: Callable[[], None] = lambda: None,
    ) -> int:
        """Count answered rows as not sent, so that they are edited again; return how many there were.

        `seeds`: what some of them are edited with from now on. `drop` removes their pictures, before anything is
        committed: where it raises, all of them stay answered.
        """
        with self.transaction() as db:
            undone = db.executemany(
                "UPDATE rows SET state = ?, outcome = NULL WHERE row = ? AND state IN (?, ?) AND fingerprint NOT NULL",
                [(State.NOTED, row, State.DONE, State.FAILED) for row in rows],
            ).rowcount
            # In which form they will be sent is not known here.
            db.executemany("UPDATE rows SET fingerprint = NULL WHERE row = ?", [(row,) for row in seeds])
            self.seeds.give(seeds)
            drop()
        self._counts.forget()
        return max(0, undone)

    def recall(self, *, but: Iterable[tuple[int, str]] = ()) -> None:
        """Count every unanswered row as not sent: their messages are lost.

        `but`: rows with the fingerprints in which they are on their way nevertheless.
        """
        with self.transaction() as db:
            db.execute("UPDATE rows SET state = ? WHERE state = ?", (State.NOTED, State.SENT))
            db.executemany(
                "UPDATE rows SET state = ? WHERE row = ? AND fingerprint = ? AND state = ?",
                [(State.SENT, row, fingerprint, State.NOTED) for row, fingerprint in but],
            )
        self._counts.forget()

    def apply(self, outcomes: Iterable[Outcome], seen: Mapping[str, float] = MappingProxyType({})) -> list[Outcome]:
        """Record outcomes in one transaction; return those that were news.

        Twice changes nothing, and a stale one never wins over a changed row. `seen`: when workers last answered, in
        seconds by Redis' clock.
        """
        answers = [*outcomes]
        with self.transaction() as db:
            known = self.known(outcome.row for outcome in answers)
            news = news_among(answers, known)
            done = [outcome for outcome in news if outcome.status == "done"]
            if done and not self._counts.states()[State.DONE]:  # before they count
                self.calculations.forget()
            self.calculations.note(done)
            self._answer(db, news)
            for (before, after), n in moves(news, known).items():
                self._counts.moved(before, after, n)
            db.executemany(
                "INSERT INTO tally VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET n = n + excluded.n",
                tallied(news).items(),
            )
            db.executemany(
                "INSERT INTO tally VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET n = excluded.n",
                [(f"seen:{worker}", round(1000 * at)) for worker, at in seen.items()],
            )
        return news

    def _answer(self, db: sqlite3.Connection, news: Iterable[Outcome]) -> None:
        warned = [outcome for outcome in news if outcome.warnings]
        db.executemany(
            "UPDATE rows SET state = ?, outcome = ? WHERE row = ?",
            [(state_after(outcome), outcome.encode(), outcome.row) for outcome in news],
        )
        db.executemany(
            "UPDATE rows SET warnings = trim(coalesce(warnings, '') || ' ' || ?) WHERE row = ?",
            [(text_of(outcome.warnings), outcome.row) for outcome in warned],
        )
        for outcome in warned:
            self._counts.warned(outcome.warnings)
