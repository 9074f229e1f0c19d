"""Seconds of a call on the device."""

import statistics
import time
from collections.abc import Callable
from typing import Final

from tests.gpu.scene import Scene

#: Groups, of which the median counts, after one that warms up; and seconds that one should take.
_GROUPS: Final = 5
_GPU_SECONDS: Final = 0.1
_CPU_SECONDS: Final = 0.002
_MOST: Final = 200


def seconds_of(call: Callable[[], object], scene: Scene) -> float:
    """Return the seconds of a call, launched one after the other as a network launches them."""

    def calls(times: int) -> None:
        for _ in range(times):
            call()  # what it makes is let go at once: a GPU's memory does not hold two hundred of it

    def group(times: int) -> float:
        scene.measured(lambda: None)
        begun = time.perf_counter()
        scene.measured(lambda: calls(times))
        return (time.perf_counter() - begun) / times

    group(1)  # what is loaded or chosen once
    aim = _GPU_SECONDS if scene.device.type == "cuda" else _CPU_SECONDS
    times = max(1, min(_MOST, int(aim / group(1))))
    return statistics.median(group(times) for _ in range(_GROUPS))
