"""Cells stand below each other."""

from producer.commands.table import aligned


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
