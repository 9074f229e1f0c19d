"""Waiting while looking: what is watched must be looked at to go on, since nobody else replaces what has ended."""

from collections.abc import Callable, Iterable
from typing import Protocol

from tests.support.waiting import wait_until


class Watched(Protocol):
    """What changes by itself."""

    def look(self) -> None:
        """Take note of what has changed."""


def watch(watched: Iterable[Watched], until: Callable[[], object], what: str, *, limit: float = 90.0) -> None:
    """Look, again and again, until the condition holds; fail, naming it, if it does not within `limit` seconds."""
    things = list(watched)

    def holds() -> object:
        for thing in things:
            thing.look()
        return until()

    wait_until(holds, what, limit=limit)
