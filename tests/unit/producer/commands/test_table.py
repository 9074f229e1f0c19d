"""Cells stand below each other."""

import pytest

from producer.commands.table import aligned, percent


def test_numbers_go_right_and_words_left() -> None:
    """No line ends in blanks, and a missing cell is no word."""
    assert aligned([["worker", "rows", "busy", ""], ["gpu0@a", "1,204", "97 %", "up"], ["b", "7", "", ""]]) == [
        "worker   rows  busy",
        "gpu0@a  1,204  97 %  up",
        "b           7",
    ]


def test_a_column_of_nothing_goes() -> None:
    """Of a finished run nobody knows what its workers do now."""
    assert aligned([["worker", "busy", "rows"], ["a", "", "7"], ["b", "", "12"]]) == [
        "worker  rows",
        "a          7",
        "b         12",
    ]


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100 %"), (0.25, "25 %"), (0.999, "100 %"), (0.08, "8 %"), (0.0019, "0.19 %")],
)
def test_a_share_is_a_percentage(share: float, text: str) -> None:
    """With as many digits as say something."""
    assert percent(share) == text
