"""Whether there is time for one more measurement."""

from collections.abc import Callable


class Pace:
    """Expects of the next measurement what the last one took, by its arithmetic."""

    def __init__(self, deadline: float, clock: Callable[[], float]) -> None:
        self._deadline = deadline
        self._clock = clock
        #: Seconds per operation, and seconds of the compiler; nothing is known before the first.
        self._rate = 0.0
        self._compiling = 0.0

    def allows(self, work: float, *, compiling: bool) -> bool:
        """Return whether so many operations, compiled before or not, should be done before the deadline."""
        return self._clock() + self._rate * work + (self._compiling if compiling else 0.0) <= self._deadline

    def learn(self, work: float, seconds: float, *, compiling: float) -> None:
        """Note what a measurement took; `compiling` of its seconds were the compiler's."""
        self._rate = (seconds - compiling) / work
        self._compiling = compiling


def share(begun: float, limit: float, now: float, left: int) -> float:
    """Return the deadline of the next of so many parts that are left: what one does not use is for those behind it."""
    return now + max(0.0, begun + limit - now) / left
