"""How fast a run goes, as the command that collects it sees it, and how busy its workers are."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from producer.collecting.progress import Status

#: Counts that a rate keeps, however old they are: one worker's batches may take a minute each.
_FEWEST: Final = 3

#: Seconds without any after which there is no rate.
_OVER: Final = 600.0


class Rate:
    """Rows, or anything else that is counted, per second over the last minute.

    Counts come in batches: until the next one is late, nothing is known that would change the rate.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, window: float = 60.0) -> None:
        self._clock = clock
        self._window = window
        self._seen: deque[tuple[float, float]] = deque()

    def add(self, amount: float) -> None:
        """Count what has just come."""
        self._seen.append((self._clock(), amount))

    def per_second(self) -> float:
        """Return the rate; 0 before the second count, and where the last ten minutes saw nothing."""
        now, seen = self._clock(), self._seen
        while len(seen) > _FEWEST and seen[0][0] < now - self._window:
            seen.popleft()
        if len(seen) < 2 or now - seen[-1][0] > _OVER:  # noqa: PLR2004 - from one to the other
            return 0.0
        # The first count tells when the window begins, not how long its own rows took.
        amount = sum(n for _, n in seen) - seen[0][1]
        begun, last = seen[0][0], seen[-1][0]
        seconds = max(last, now - (last - begun) / (len(seen) - 1)) - begun
        return round(amount / seconds, 3) if seconds > 0 else 0.0


class Busy:
    """Which share of the last minute the fleet's GPUs were editing, by what the model's work took."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, before: float = 0.0) -> None:
        """`before`: seconds that rows took which earlier commands have collected."""
        self._rate = Rate(clock)
        self._gpu_seconds = before

    def of(self, status: Status) -> float | None:
        """Return the share as of the newest counts, 0 to 1; None before there is a second answer.

        Workers count that have answered in the minute before the last answer.
        """
        if self._gpu_seconds != status.gpu_seconds:
            self._rate.add(status.gpu_seconds - self._gpu_seconds)
            self._gpu_seconds = status.gpu_seconds
        answered = status.answered_at.values()
        at_work = sum(at > max(answered) - 60 for at in answered)
        busy = self._rate.per_second()
        return min(1.0, round(busy / at_work, 3)) if busy and at_work else None
