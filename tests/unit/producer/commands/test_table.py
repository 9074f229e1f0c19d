"""Cells stand below each other."""

from producer.commands.table import aligned


def test_numbers_go_right_and_words_left() -> None:
    """No line ends in blanks, and a missing cell is no word."""
    assert aligned([["worker", "rows", "busy", ""], ["gpu0@a", "1,204", "97 %", "up"], ["b", "7", "", ""]]) == [
        "worker   rows  busy",
        "gpu0@a  1,204  97 %  up",
        "b           7",
    ]
