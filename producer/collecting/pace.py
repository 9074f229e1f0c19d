"""How fast a run goes, seen from outside, and how long the rest of it will take."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

#: Seconds: long enough that batches of a minute even out, and the shortest that says anything.
_WINDOW: Final = 300.0
_SHORTEST: Final = 20.0

#: Seconds: whoever collects renews a run's counts each second.
_ALIVE: Final = 10.0


class Pace:
    """Rows per second over the last minutes, from how many were answered at each look."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def seen(self, answered: int) -> None:
        """Take note of how many rows are answered by now; fewer than before begin a new count."""
        if self._seen and answered < self._seen[-1][1]:
            self._seen.clear()
        now = self._clock()
        self._seen.append((now, answered))
        # The last look before the window stays, so that the whole of it is measured.
        while len(self._seen) > 1 and self._seen[1][0] <= now - _WINDOW:
            self._seen.popleft()

    def per_second(self) -> float | None:
        """Return the rate; None where it was not looked at for long enough."""
        if not self._seen:
            return None
        (begun, first), (ended, last) = self._seen[0], self._seen[-1]
        return (last - first) / (ended - begun) if ended - begun >= _SHORTEST else None


class Recent:
    """The rate over the last minutes of rows that were answered at these times, in their order, whoever looks."""

    def __init__(self, now: float) -> None:
        """`now`: seconds by the clock that tells the times."""
        self._now = now
        self._since = now - _WINDOW
        self._are_all = True
        self._rows = 0
        self._first = now

    def add(self, at: float) -> None:
        """Take note of when a row was answered."""
        if at > self._since:
            self._rows += 1
            self._first = min(self._first, at)
        else:
            self._are_all = False

    def per_second(self) -> float:
        """Return the rate; 0 where nothing tells it."""
        # The first of all tells when it began, not how long its own row took.
        rows, begun = (self._rows - 1, self._first) if self._are_all else (self._rows, self._since)
        return round(rows / (self._now - begun), 3) if rows > 0 and self._now > begun else 0.0


def is_collected(quiet_for: float | None) -> bool:
    """Tell whether a command collects a run just now, by how long nobody has renewed its counts in Redis."""
    return quiet_for is not None and quiet_for < _ALIVE


def seconds_left(waiting: int, rows_per_s: float) -> float | None:
    """Return how long the rest takes at this rate; None where nothing moves."""
    if not waiting:
        return 0.0
    return waiting / rows_per_s if rows_per_s > 0 else None
