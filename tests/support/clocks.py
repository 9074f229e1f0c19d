"""A real worker whose clock is wrong: `celery -A tests.support.clocks worker`, with a model that edits nothing.

FLEET_CLOCK_WRONG_BY is by how many seconds its wall clock is ahead of the machine's. The clock that measures how long
something takes is right, as it is on a machine whose date was set wrongly.
"""

import os
import sys
import time

import kombu.transport.redis  # noqa: F401 - what takes the clock by its name is shifted, too

from tests.support.passthrough import app

__all__ = ["app", "shift"]


def shift(seconds: float) -> None:
    """Set this process's wall clock by so many seconds, for every module that has it."""
    right = time.time

    def wrong() -> float:
        return right() + seconds

    for module in [*sys.modules.values()]:
        for name in [name for name, value in vars(module).items() if value is right]:
            setattr(module, name, wrong)


if by := os.environ.get("FLEET_CLOCK_WRONG_BY"):
    shift(float(by))
