"""How many rows a worker answers per second, for whoever asks it."""

import threading
import time
from collections import deque
from collections.abc import Callable


class Pace:
    """Counts answered rows; any thread answers, any may ask."""

    def __init__(self, window: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        """`window` and `clock` are in seconds."""
        self._window = window
        self._clock = clock
        self._began = clock()
        self._times: deque[float] = deque()
        self._lock = threading.Lock()
        #: Rows that were answered since the worker began.
        self.rows = 0

    def answered(self) -> None:
        """Count a row that was just answered."""
        with self._lock:
            self.rows += 1
            self._times.append(self._clock())
            self._forget()

    def per_second(self) -> float:
        """Return the rate of the last minute, or of the time since the worker began where that is shorter."""
        with self._lock:
            self._forget()
            seconds = min(self._window, self._clock() - self._began)
            return round(len(self._times) / seconds, 3) if seconds > 0 else 0.0

    def _forget(self) -> None:
        while self._times and self._times[0] <= self._clock() - self._window:
            self._times.popleft()
