"""Waiting for a condition, with a limit: the tests never wait for time to pass."""

import threading
import time
from collections.abc import Callable

_POLL = threading.Event()  # never set: its wait is the pause between two looks


def wait_until(condition: Callable[[], object], what: str, limit: float = 90.0) -> None:
    """Return once the condition holds; fail, naming it, if it does not within `limit` seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit} s: {what}")
        _POLL.wait(0.02)
