"""Ends a worker whose GPU hangs: no pool but prefork can stop a task, and nothing can stop a thread in a driver."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Watchdog:
    """Calls `on_hang` with what was being watched once it takes longer than `limit` seconds."""

    def __init__(self, limit: float, on_hang: Callable[[str], None]) -> None:
        self._limit = limit
        self._on_hang = on_hang

    @contextmanager
    def watched(self, what: str) -> Iterator[None]:
        """Watch what happens inside."""
        timer = threading.Timer(self._limit, self._on_hang, (what,))
        timer.name, timer.daemon = "watchdog", True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
