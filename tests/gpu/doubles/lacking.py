"""Needs a package that is not there."""

from importlib import import_module


def measure(_: object, __: object) -> None:
    """Import it."""
    import_module("nothing_that_is_there")
