"""Whoever has a run made, as a run sees it: who is told, asked, and may end it."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from producer.collecting.display import Display
from producer.collecting.failing import Most
from producer.sending.plan import Plan

Say = Callable[[str], None]


class Show(Protocol):
    """Opens what shows a run to its user."""

    def __call__(self, *, passing: bool = False) -> AbstractContextManager[Display]:
        """Open it; `passing`: it goes when it is over, since what comes of it is said in words."""


def _nothing(*_: object) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Host:
    """A command, or a program that uses the Python interface."""

    #: What the run's lock says of it, such as "producer run".
    name: str
    say: Say
    show: Show
    #: Is shown the plan before anything is changed, and raises where it is not to be done.
    agree: Callable[[Plan], None]
    #: Is told, once per cause, that a hundred rows in a row have failed of it; returns whether the run goes on.
    goes_on: Callable[[Display, str], bool]
    #: How many rows may fail; None: as many as do.
    max_failed: Most | None = None
    #: What `max_failed` is called where it was given.
    max_failed_name: str = "--max-failed"
    #: Called in every wait; may raise to end it.
    watch: Callable[[], None] = _nothing
    #: Whether it waits for a run folder that is in use.
    waits: bool = False
    #: Told which rows are answered now, once the ledger has it.
    answered: Callable[[Iterable[int]], None] = _nothing
    #: Told of which rows the ledger has what they are now, before it is told of their answers; and when of all.
    noted: Callable[[Iterable[int]], None] = _nothing
    all_noted: Callable[[], None] = _nothing
