"""Finds something."""

from tests.gpu.notes import Notes


def measure(_: object, notes: Notes) -> None:
    """Note it."""
    table = notes.table("What there is:", ["what", "how much"])
    table.row("a | b", 7)
    notes.headline("all that there is")
