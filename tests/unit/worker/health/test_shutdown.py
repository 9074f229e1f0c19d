"""SIGTERM: once is a shutdown in order, however often it is told at that moment."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from worker.contract.outcomes import open_redis
from worker.delivery.isolation import Isolation
from worker.delivery.quarantine import Quarantine
from worker.health.shutdown import Shutdown


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_sigterm_that_is_told_twice_enters_celerys_handler_once() -> None:
    """Also where the second comes while the first is handled: Celery holds a lock then that it would wait for."""
    entered: list[Any] = []

    def celerys(*args: object) -> None:
        entered.append(args)
        signal.raise_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, celerys)
    nobody = open_redis("redis://127.0.0.1:1")  # asked for nothing
    Shutdown(Isolation(), Quarantine(nobody, nobody, max_crashes=1, timeout=1)).at_second_sigterm()
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    assert len(entered) == 1
