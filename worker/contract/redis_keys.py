"""The keys of runs in Redis, and for how long it keeps them."""

from typing import Final

#: Seconds for which Redis keeps what it has of a run that nobody touches. Losing it costs sending rows again, no more.
KEPT: Final = 30 * 24 * 60 * 60
KEPT_FINISHED: Final = 24 * 60 * 60

#: Seconds for which Redis knows that a row was just answered: as long as another worker may still have it in hand.
KEPT_ANSWERED: Final = 120


def run_key(run: str, name: str) -> str:
    """Name one of a run's keys in Redis."""
    return f"fleet:run:{run}:{name}"


def answered_key(run: str, row: int) -> str:
    """Name the key that is there for a while once a row is answered."""
    return run_key(run, f"answered:{row}")


def roster_key(lane: str) -> str:
    """Name the key that lists the runs of a lane."""
    return f"fleet:runs:{lane}"


def wanted_key(lane: str) -> str:
    """Name the key that is there for a moment after a worker of a lane has asked the others for rows."""
    return f"fleet:wanted:{lane}"


def bell_key(instance: str) -> str:
    """Name the list that wakes a worker which waits for rows."""
    return f"fleet:bell:{instance}"
