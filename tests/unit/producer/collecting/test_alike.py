"""Rows that were calculated differently are said, once."""

from dataclasses import replace
from typing import Any

from producer.collecting.alike import Alike, difference
from producer.collecting.progress import Status

STATUS = Status(total=9, done=3, failed=0, waiting=6, rows_per_s=0)


def made(rows: int, *workers: str, profile: str = "exact", weights: str = "w1") -> dict[str, Any]:
    """Describe rows that were calculated alike."""
    return {"profile": profile, "weights": weights, "contract": 3, "rows": rows, "workers": [*workers]}


MIXED = replace(STATUS, calculations=[made(2, "a"), made(1, "b", profile="fast")])


def test_a_difference_is_said_once_with_what_differs_and_who_it_was() -> None:
    """The counts go on as they are, each time."""
    seen: list[Status] = []
    said: list[str] = []
    alike = Alike(seen.append, said.append)
    for status in (STATUS, MIXED, MIXED):
        alike(status)
    assert seen == [STATUS, MIXED, MIXED]
    (sentence,) = said
    assert sentence == (
        "Workers calculate differently, and pictures of this run may differ with them: 2 rows with profile exact,"
        " 1 with profile fast (b). Start them alike; `producer redo` makes rows again."
    )


def test_rows_that_are_alike_are_nothing_to_say() -> None:
    """Whoever made them."""
    assert difference(STATUS) is None
    assert difference(replace(STATUS, calculations=[made(3, "a", "b")])) is None


def test_only_what_differs_is_named_and_only_some_workers() -> None:
    """Of a hundred workers nobody reads the names."""
    told = difference(replace(STATUS, calculations=[made(1, "a"), made(9, *"bcdef", weights="w2")]))
    assert told is not None
    assert "1 row with weights w1, 9 with weights w2 (b, c, d, … and 2 more)" in told
    assert "profile" not in told
