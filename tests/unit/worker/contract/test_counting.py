"""One of a thing is one."""

import pytest

from worker.contract.counting import counted


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0 rows are done"), (1, "1 row is done"), (1200, "1,200 rows are done")]
)
def test_one_has_its_own_words(number: int, expected: str) -> None:
    """Whatever a sentence goes on with."""
    assert counted(number, "row is done", "rows are done") == expected


def test_most_words_only_need_an_s() -> None:
    """So that it need not be said."""
    assert [counted(number, "image") for number in (1, 2)] == ["1 image", "2 images"]
