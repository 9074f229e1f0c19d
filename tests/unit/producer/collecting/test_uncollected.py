"""Answers that nobody has collected count as the collector would count them."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from producer.collecting.progress import Status
from producer.collecting.uncollected import Uncollected
from producer.run.calculations import Calculation
from producer.run.ledger import Ledger
from producer.run.records import Entry as Noted
from producer.run.records import State
from worker.contract.messages import VERSION, Outcome
from worker.contract.outcomes import Entry

A = "a" * 32
ROWS = 5000


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Open a run whose rows are sent; the first of them is done."""
    with Ledger(tmp_path) as ledger:
        ledger.note([Noted(row, A, State.NOTED) for row in range(ROWS)])
        ledger.sent(range(ROWS))
        ledger.apply([answer(0, 0).outcome])  # type: ignore[list-item]
        yield ledger


def answer(row: int, at: float, error: str | None = None, **given: Any) -> Entry:
    """Answer a row, as it stands in the stream."""
    facts = {"run": "0" * 16, "fingerprint": A, "worker": "w", "batch_id": "b", "profile": "exact", **given}
    outcome = Outcome(row=row, status="failed" if error else "done", error=error, **facts)
    return Entry(f"{int(1000 * at)}-0", outcome)


def test_each_row_counts_once(ledger: Ledger) -> None:
    """By its first answer in its present form; of a row that is in the ledger none counts."""
    found = Uncollected(ledger, now=100)
    for entry in (
        answer(0, 90, "Bad."),
        answer(1, 91, fingerprint="b" * 32),
        answer(1, 92, worker="v"),
        answer(1, 93, "Bad."),
        answer(ROWS - 1, 94, "Bad."),
        answer(ROWS, 95),
        Entry("96000-0", None),
    ):
        found.add(entry)
    status = found.added_to(Status(total=ROWS, done=1, failed=0, waiting=ROWS - 1, rows_per_s=0, workers={"w": 1}))
    assert (status.done, status.failed, status.waiting, found.rows) == (2, 1, ROWS - 3, 2)
    assert status.workers == {"w": 2, "v": 1}
    assert status.answered_at == {"w": 95.0, "v": 92.0}
    assert found.made == {(Calculation("exact", "", VERSION), "v"): 1}
    assert [(cause.cause, cause.rows, cause.example.row) for cause in found.failed.ranked()] == [("Bad", 1, ROWS - 1)]
    assert found.pace.per_second() == 0.6  # six came in the ten seconds since the first


def test_many_take_little_memory(ledger: Ledger) -> None:
    """A bit for each row, where its outcome takes a kilobyte."""
    found = Uncollected(ledger, now=100)
    tracemalloc.start()
    for row in range(1, ROWS):
        found.add(answer(row, 90))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.rows == ROWS - 1
    assert held < 10 * ROWS
