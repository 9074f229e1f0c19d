"""How busy the GPU's thread is: the share of the time in which it was in the model and not between two batches."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class BusyMeter:
    """Measures the share of time spent computing; one thread computes, any may ask.

    The share is that of the last `window` seconds, or of the time since the meter began where that is shorter: long
    enough that calls of many seconds even out, and short enough that a worker which has run dry shows it soon.
    """

    def __init__(self, window: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        """`window` and `clock` are in seconds."""
        self._window = window
        self._clock = clock
        self._began = clock()
        #: When the call in progress began; None between two calls.
        self._since: float | None = None
        #: Begin and end of the calls that the window still shows, oldest first.
        self._calls: deque[tuple[float, float]] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Count the time inside, whether it ends well or not."""
        with self._lock:
            self._since = begun = self._clock()
        try:
            yield
        finally:
            with self._lock:
                self._since, ended = None, self._clock()
                self._calls.append((begun, ended))
                self._forget(before=ended - self._window)

    def share(self) -> float:
        """Return the share of the window spent computing, from 0 to 1; a call in progress counts up to now."""
        with self._lock:
            now = self._clock()
            start = max(self._began, now - self._window)
            self._forget(before=start)
            calls = [*self._calls] if self._since is None else [*self._calls, (self._since, now)]
        computed = sum(ended - max(begun, start) for begun, ended in calls)
        # A sum of many small numbers may exceed the whole by a rounding error.
        return min(1.0, computed / (now - start)) if now > start else 0.0

    def _forget(self, before: float) -> None:
        while self._calls and self._calls[0][1] <= before:
            self._calls.popleft()
