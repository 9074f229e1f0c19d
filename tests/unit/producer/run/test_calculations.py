"""A run remembers how its first row was calculated, and counts the rows that were calculated otherwise."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from producer.run.calculations import Calculation, Made
from producer.run.ledger import Ledger
from producer.run.records import Entry, State
from worker.contract.messages import VERSION, Outcome

A = "a" * 32
EXACT, FAST = Calculation("exact", "w1", VERSION), Calculation("fast", "w1", VERSION)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Open a run of nine rows that are sent."""
    with Ledger(tmp_path) as ledger:
        ledger.note([Entry(row, A, State.NOTED) for row in range(9)])
        ledger.sent(range(9))
        yield ledger


def outcome(row: int, profile: str | None = "exact", worker: str = "a", **given: Any) -> Outcome:
    """Answer a row as a worker does that has edited it."""
    facts = {"status": "done", "batch_id": "b", "weights": "w1", **given}
    return Outcome(run="0" * 16, row=row, fingerprint=A, worker=worker, profile=profile, **facts)


def made(ledger: Ledger, *more: Outcome) -> list[Made]:
    """Return how the run's rows were calculated."""
    counted = Counter((Calculation.of(one) or EXACT, one.worker) for one in more)
    return ledger.calculations.all(ledger.tally(), counted)


def test_the_first_row_decides_what_is_the_runs_own(ledger: Ledger) -> None:
    """Also where most rows are of another kind later on; each has its workers."""
    ledger.apply([outcome(0)])
    ledger.apply([outcome(1, "fast", "b"), outcome(2, "fast", "c"), outcome(3, "fast", "c"), outcome(4)])
    assert made(ledger) == [Made(EXACT, 2, ("a",)), Made(FAST, 3, ("b", "c"))]


@pytest.mark.parametrize("other", [{"weights": "w2"}, {"profile": "fast"}])
def test_other_weights_and_other_profiles_differ(ledger: Ledger, other: dict[str, str]) -> None:
    """Either makes other pictures."""
    ledger.apply([outcome(0), outcome(1, **other)])
    assert [one.rows for one in made(ledger)] == [1, 1]


def test_an_outcome_that_comes_twice_counts_once(ledger: Ledger) -> None:
    """Delivery is at least once."""
    ledger.apply([outcome(0), outcome(0), outcome(0, "fast")])
    assert made(ledger) == [Made(EXACT, 1, ("a",))]


@pytest.mark.parametrize("none", [{"batch_id": None}, {"status": "failed", "error": "Bad."}, {"profile": None}])
def test_a_row_that_no_model_has_edited_says_nothing(ledger: Ledger, none: dict[str, Any]) -> None:
    """One that was finished already, one that failed, one of a worker that does not tell."""
    ledger.apply([outcome(0, **none)])
    assert made(ledger) == []


def test_what_is_not_collected_yet_counts(ledger: Ledger) -> None:
    """Whoever looks on sees a difference before the collector does."""
    ledger.apply([outcome(0)])
    assert made(ledger, outcome(1, "fast", "b")) == [Made(EXACT, 1, ("a",)), Made(FAST, 1, ("b",))]
    assert made(ledger) == [Made(EXACT, 1, ("a",))]


def test_a_run_that_is_made_anew_forgets(ledger: Ledger) -> None:
    """Once all its rows are to be edited again, the next one is its first."""
    ledger.apply([outcome(0), outcome(1)])
    ledger.undo([0, 1])
    ledger.sent([0, 1])
    ledger.apply([outcome(1, "fast", "b")])
    assert made(ledger) == [Made(FAST, 1, ("b",))]
