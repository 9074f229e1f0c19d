"""Rows that fail and fail end the run, or somebody is told."""

from typing import Any

import pytest

from producer.collecting.causes import Failure
from producer.collecting.failing import Failing, Most, TooManyFailed
from worker.contract.messages import Outcome


def outcomes(*errors: str | None, first: int = 0) -> list[Outcome]:
    """Make the outcomes of rows: done where the error is None."""
    answer: Any = {"run": "a" * 16, "fingerprint": "f" * 32, "worker": "w"}
    return [
        Outcome(row=row, status="failed" if error else "done", error=error, **answer)
        for row, error in enumerate(errors, start=first)
    ]


def absent(rows: int) -> list[str]:
    """Say of each of so many rows that its picture is not there."""
    return [f"image /{row}.png: no such file." for row in range(rows)]


@pytest.mark.parametrize(
    ("text", "total", "rows"),
    [("0", 10, 0), ("20", 10, 20), ("5%", 200, 10), ("5%", 199, 9), ("0.5%", 1000, 5), ("100%", 7, 7), ("0%", 7, 0)],
)
def test_a_limit_is_a_number_or_a_share(text: str, total: int, rows: int) -> None:
    """Of a share that is no whole number of rows the part is dropped."""
    assert Most.parse(text).of(total) == rows


@pytest.mark.parametrize("text", ["", "%", "x", "-1", "1.5", "101%", "-1%", "nan%", "inf%", "5 percent"])
def test_anything_else_is_no_limit(text: str) -> None:
    """It is said what is expected, and what was found."""
    with pytest.raises(ValueError, match="takes a number of rows, as 20, or a share of all, as 5%; found"):
        Most.parse(text)


def test_a_run_may_have_as_many_failures_as_were_allowed() -> None:
    """One more ends it, with how many there are, the most frequent cause, and its first row."""
    failing = Failing(Most.parse("3"))
    failing.answered(outcomes("a.", None, *absent(2)))
    failing.check(100)
    failing.answered(outcomes(*absent(1), first=4))
    with pytest.raises(TooManyFailed) as ended:
        failing.check(100)
    assert str(ended.value) == (
        "4 rows have failed, more than --max-failed 3 allows, 3 of them alike, as row 2: image /0.png: no such file."
    )


def test_a_share_is_of_all_rows() -> None:
    """Where more rows become known, more of them may fail."""
    failing = Failing(Most.parse("10%"))
    failing.answered(outcomes(*absent(2)))
    failing.check(20)
    with pytest.raises(TooManyFailed, match="2 rows have failed, more than --max-failed 10% allows, such as row 0"):
        failing.check(19)


def test_rows_that_no_worker_has_seen_count_too() -> None:
    """A line that is no row has failed like any other, but a hundred of them are no alarm: they took no time."""
    told: list[str] = []
    failing = Failing(Most.parse("150"), lambda sentence: not told.append(sentence))
    failing.known(Failure(row, "line 1: is no JSON.") for row in range(150))
    failing.check(1000)
    assert told == []
    failing.known([Failure(150, "line 151: is no JSON.")])
    with pytest.raises(TooManyFailed, match="151 rows have failed"):
        failing.check(1000)


def test_a_hundred_in_a_row_of_one_cause_are_told_once() -> None:
    """Whoever goes on is not told of that cause again, but of another one."""
    told: list[str] = []
    failing = Failing(goes_on=lambda sentence: not told.append(sentence))
    for first in range(0, 400, 10):
        failing.answered(outcomes(*absent(10), first=first))
        failing.check(1000)
    said = "100 rows have failed one after the other, all alike: image: no such file (such as row 0)."
    assert told == [said]
    failing.answered(outcomes(*["the disk is full."] * 100, first=400))
    failing.check(1000)
    assert told == [said, said.replace("image: no such file", "the disk is full").replace("row 0", "row 400")]


@pytest.mark.parametrize("between", [None, "crashed its worker 3 times."])
def test_a_row_that_ends_otherwise_begins_the_count_anew(between: str | None) -> None:
    """99, another one and 99 more are no hundred in a row."""
    failing = Failing(goes_on=lambda _: False)
    failing.answered(outcomes(*absent(99), between, *absent(99)))
    failing.check(1000)
    failing.answered(outcomes(*absent(1), first=199))
    with pytest.raises(TooManyFailed):
        failing.check(1000)


def test_whoever_is_asked_may_end_it() -> None:
    """A no ends the run with the same sentence."""
    failing = Failing(goes_on=lambda _: False)
    failing.answered(outcomes(*absent(100)))
    with pytest.raises(
        TooManyFailed, match=r"^100 rows have failed one after the other, all alike: image: no such file\.$"
    ):
        failing.check(1000)
