"""Rows are chosen by their numbers and by what became of them, and get seeds that they keep."""

import json
from pathlib import Path

import pytest

from producer.rows.numbers import Numbers
from producer.run.ledger import Ledger
from producer.run.records import Entry, Record, State
from producer.sending.redo import Where, ranges
from tests.support.rows import ROW, parse
from worker.contract.errors import RowError
from worker.contract.messages import Outcome

FAILED = Record(1, "f" * 32, State.FAILED, 1, json.dumps({"error": "image A: No such file.", "worker": "gpu0@host"}))
WARNED = Record(2, "f" * 32, State.DONE, 1, json.dumps({"warnings": ["image-damaged"], "worker": "gpu1@host"}))


@pytest.mark.parametrize(
    ("text", "rows"), [("7", {7}), ("7,12-14", {7, 12, 13, 14}), (" 0 , 0-1", {0, 1}), ("3-3", {3})]
)
def test_rows_are_ranges(text: str, rows: set[int]) -> None:
    """Numbers and ranges, both ends included."""
    assert set().union(*ranges(text)) == rows


@pytest.mark.parametrize("text", ["", "x", "3-1", "-3", "1,,2", "1-2-3"])
def test_what_are_no_rows(text: str) -> None:
    """Anything else is refused by what it is."""
    with pytest.raises(ValueError, match="expected rows such as 7,12-20"):
        ranges(text)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("error~no such", (True, False)),
        ("error=no such", (False, False)),
        ("warning~damaged", (False, True)),
        ("warning=image-damaged", (False, True)),
        ("worker=gpu0@host", (True, False)),
        ("worker~@HOST", (True, True)),
    ],
)
def test_conditions(condition: str, holds: tuple[bool, bool]) -> None:
    """A text is in a field, in whatever case, or is it."""
    where = Where.parse(condition)
    assert (where.holds(FAILED), where.holds(WARNED)) == holds


@pytest.mark.parametrize("condition", ["error", "error~", "picture~x", "~x", ""])
def test_what_is_no_condition(condition: str) -> None:
    """Another field or no text is refused."""
    with pytest.raises(ValueError, match="expected error, warning or worker"):
        Where.parse(condition)


def test_only_answered_rows_are_undone(tmp_path: Path) -> None:
    """What is on its way stays so, and what could not be sent stays bad."""
    with Ledger(tmp_path) as ledger:
        ledger.note([Entry(row, "f" * 32, State.NOTED) for row in range(3)] + [Entry(3, None, State.FAILED, "bad")])
        ledger.sent([0, 1])
        answer = {"run": ledger.run, "fingerprint": "f" * 32, "worker": "w"}
        ledger.apply([Outcome(row=0, status="done", **answer)])
        assert ledger.undo(range(4)) == 1
        assert ledger.states() == {State.NOTED: 2, State.SENT: 1, State.FAILED: 1}


def test_rows_whose_pictures_stay_are_not_undone(tmp_path: Path) -> None:
    """Where a picture cannot be removed, its row is done as before: edited again, it would be taken for the new one."""

    def drop() -> None:
        raise RowError("its store refuses")

    with Ledger(tmp_path) as ledger:
        ledger.note([Entry(0, "f" * 32, State.NOTED)])
        ledger.apply([Outcome(row=0, status="done", run=ledger.run, fingerprint="f" * 32, worker="w")])
        with pytest.raises(RowError):
            ledger.undo([0], seeds={0: 5}, drop=drop)
        assert ledger.states() == {State.DONE: 1}
        assert ledger.seeds.of(0) is None
        assert ledger.undo([0]) == 1


def test_a_seed_that_was_given_is_kept(tmp_path: Path) -> None:
    """It is there when the ledger is opened again, and goes with its row."""
    with Ledger(tmp_path) as ledger:
        ledger.note([Entry(row, "f" * 32, State.NOTED) for row in range(2)])
        assert ledger.seeds.of(1) is None
        ledger.undo([1], seeds={1: 5})
        assert ledger.seeds.of(1) == 5
    with Ledger(tmp_path) as ledger:
        assert [ledger.seeds.of(row) for row in range(2)] == [None, 5]
        ledger.forget_others(Numbers([0]))
        assert ledger.seeds.of(1) is None


def test_a_given_seed_wins() -> None:
    """It stands above the run's and above the row's own."""
    line = {**ROW, "edit": {"seed": 7}}
    requests = [parse(line, seed_of=seed_of).request for seed_of in (lambda _: None, lambda row: row + 100)]
    assert [request and request.seed for request in requests] == [7, 101]
