"""The workers of a run, as whoever conducts it needs them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from producer.collecting.fleet import NoWorkerNotice
from producer.collecting.progress import Status
from worker.contract.messages import EditRequest, Outcome
from worker.settings.fleet import Settings


class Crew(Protocol):
    """Workers that take a run's rows."""

    def at_work(self) -> AbstractContextManager[object]:
        """Enter before the first row is sent; leaving stops what was started for this run alone."""

    def make_ready(self, watch: Callable[[], None], tell: Callable[[str], None]) -> None:
        """Make sure, before the first row is noted, that somebody can edit; `tell` is told what is waited for.

        Raises:
            RunError: nobody can.

        """

    def start(self, watch: Callable[[], None]) -> None:
        """Make sure that somebody is at work on rows that were sent before."""

    def check(self, status: Status) -> None:
        """Look after them while rows are awaited; may raise to end the waiting."""

    def foresee(self, requests: Sequence[EditRequest]) -> Sequence[Outcome]:
        """Return the outcomes of those that need no worker."""


class FleetElsewhere:
    """Workers that somebody else starts and stops."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._notice = NoWorkerNotice(settings, say)

    def at_work(self) -> AbstractContextManager[object]:
        """Start nothing."""
        return nullcontext()

    def make_ready(self, watch: Callable[[], None], tell: Callable[[str], None]) -> None:
        """Take it that they are, or will be."""

    def start(self, watch: Callable[[], None]) -> None:
        """Start nothing."""

    def check(self, status: Status) -> None:
        """Say once that none is up for the run's model, where that is so."""
        self._notice(status)

    def foresee(self, requests: Sequence[EditRequest]) -> Sequence[Outcome]:  # noqa: ARG002 - as Crew has it
        """Leave all rows to them: they may see files that this machine does not."""
        return ()
