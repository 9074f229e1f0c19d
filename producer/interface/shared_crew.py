"""Workers that several runs share."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock

from producer.collecting.progress import Status
from producer.local.workers import POLL, LocalWorkers
from worker.contract.errors import RunError


class SharedCrew:
    """Workers of one model, for all runs of a `Fleet` that take the same; each run has a thread of its own."""

    def __init__(self, workers: LocalWorkers) -> None:
        self._workers = workers
        self._lock = RLock()
        #: Runs that use them, counted under the lock of whoever has several crews.
        self.runs = 0
        #: Why none of them can edit; every run that waits for them is to hear of it.
        self.error: RunError | None = None

    def start(self, watch: Callable[[], None]) -> None:
        """Start one worker per device, unless they were.

        Raises:
            RunError: they cannot edit, or were stopped for good.

        """
        watch()
        with self._open():
            self._workers.start()

    def make_ready(self, watch: Callable[[], None], tell: Callable[[str], None]) -> None:
        """Start them, and wait until one has loaded its model.

        Raises:
            RunError: one has ended instead.

        """
        self.start(watch)
        begun = time.monotonic()
        while not self._are_ready(begun, tell):
            watch()
            time.sleep(POLL)

    def _are_ready(self, begun: float, tell: Callable[[str], None]) -> bool:
        with self._open():
            return self._workers.are_ready(begun, tell)

    def check(self, status: Status) -> None:
        """Start those again that had been ready and have ended.

        Raises:
            RunError: one has ended before it was ever ready, or none is left, or they were stopped for good.

        """
        with self._open():
            self._workers.check(status)

    def stop(self) -> None:
        """Stop them for good; each finishes the batch on its GPU first."""
        with self._lock:
            self.error = self.error or RunError("The workers of this run were stopped with their Fleet.")
        self._workers.__exit__(None, None, None)

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self._lock:
            if self.error is not None:
                raise self.error
            try:
                yield
            except RunError as error:
                self.error = error
                raise
