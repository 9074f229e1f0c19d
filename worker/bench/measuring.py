"""Seconds of a denoising step and of all that a call does besides, from calls of few steps."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch

#: Steps of the longer call: however seldom a profile computes one, the first four and the last always are.
_MANY: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """What was measured of one size of a call. In seconds; a number for each round."""

    #: The first call: with the compiler, where there is one.
    first: float
    #: Calls of one step.
    short: tuple[float, ...]
    #: Calls of `_MANY` steps, each right after its short one.
    long: tuple[float, ...]
    #: Most bytes of the device's memory that were in use during a call; None on a CPU.
    peak: int | None
    #: Steps of the first call.
    warmed: int = 1

    @property
    def step(self) -> float:
        """Seconds of a step that is computed; the median."""
        return statistics.median(self._steps())

    @property
    def fixed(self) -> float:
        """Seconds of a call apart from its steps: the text encoders, the VAE, the pictures' way; the median."""
        return statistics.median(short - step for short, step in zip(self.short, self._steps(), strict=True))

    @property
    def compiling(self) -> float:
        """Seconds that the first call took longer than the others."""
        return max(0.0, self.first - statistics.median(self.short) - (self.warmed - 1) * self.step)

    def calls(self, computed: int) -> list[float]:
        """Return the seconds of a whole call that computes so many steps, by each round."""
        return [short + (computed - 1) * step for short, step in zip(self.short, self._steps(), strict=True)]

    def _steps(self) -> list[float]:
        return [(long - short) / (_MANY - 1) for short, long in zip(self.short, self.long, strict=True)]


def steps_of(rounds: int, *, warming: int) -> int:
    """Return how many denoising steps `measure` makes."""
    return warming + rounds * (1 + _MANY)


def measure(
    call: Callable[[int], object], *, rounds: int, warming: int, device: torch.device, clock: Callable[[], float]
) -> Timing:
    """Time a call, given its steps: once of `warming` steps, then one step and `_MANY` steps in turn.

    In turn, so that a busy moment or a hot card strikes both alike.
    """
    peaks = []

    def timed(steps: int) -> float:
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            torch.cuda.synchronize(device)
        begun = clock()
        call(steps)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
            peaks.append(torch.cuda.max_memory_allocated(device))
        return clock() - begun

    first = timed(warming)
    peaks.clear()  # the compiler's own buffers are no part of a call
    pairs = [(timed(1), timed(_MANY)) for _ in range(rounds)]
    short, long = (tuple(column) for column in zip(*pairs, strict=True))
    return Timing(first=first, short=short, long=long, peak=max(peaks, default=None), warmed=warming)
