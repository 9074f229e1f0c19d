"""Needs what is not there."""

from tests.gpu.notes import Notes, Refused


def measure(_: object, __: Notes) -> None:
    """Refuse."""
    raise Refused("needs a GPU that multiplies in fp8")
