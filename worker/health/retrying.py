"""Trying again what may pass by itself, for as long as the worker is not told to stop."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock
from typing import TypeVar

import redis
import tenacity
from tenacity.nap import sleep_using_event

from worker.contract.broker_words import reason
from worker.contract.errors import GivenBack, TransientError

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class Retrying:
    """How a row bears what is outside of the worker's power."""

    def __init__(self, closing: Event, *, attempts: int, first_wait: float = 0.5, jitter: float = 1.0) -> None:
        """Wait `first_wait` seconds after the first attempt, then twice as long each time, and up to `jitter` more.

        Thousands of rows stumble over the same file share at the same moment; they should not come back in step.
        """
        self._closing = closing
        self._attempts = attempts
        self._waiting = _WaitingRows()
        self._pause = tenacity.wait_exponential_jitter(multiplier=first_wait, max=30, jitter=jitter)

    def with_storage(self, work: Callable[[], Answer], row: str) -> Answer:
        """Read or write files, again and again where it fails for a reason that may pass.

        Raises:
            GivenBack: the worker is shutting down.
            RowError: it failed for another reason, or as often as allowed.

        """

        def go_on(state: tenacity.RetryCallState) -> None:
            # The first attempt is made in any case: it may be the picture of the last batch that is to be saved.
            if state.attempt_number > 1 and self._closing.is_set():
                raise GivenBack

        def note(state: tenacity.RetryCallState) -> None:
            seconds, error = state.upcoming_sleep, state.outcome and state.outcome.exception()
            logger.warning("row %s, attempt %d: %s Next in %.1f s.", row, state.attempt_number, error, seconds)

        # tenacity and not stamina, which is built on it: stamina cannot wake up from its sleep at a shutdown.
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            stop=tenacity.stop_after_attempt(self._attempts) | tenacity.stop_when_event_set(self._closing),
            wait=self._pause,
            sleep=sleep_using_event(self._closing),
            before=go_on,
            before_sleep=note,
            reraise=True,
        )
        try:
            return attempts(work)
        except TransientError:
            if self._closing.is_set():
                raise GivenBack from None
            raise

    def with_redis(self, ask: Callable[[], Answer], row: str) -> Answer:
        """Ask Redis, however long it is away or full: a row is not acknowledged before its outcome is recorded.

        Raises:
            GivenBack: the worker is shutting down; a saved picture is recognised when the row comes again.

        """
        with self._waiting.place(row) as waits:
            while not self._closing.is_set():
                try:
                    return ask()
                except redis.RedisError as error:
                    waits(error)
                    self._closing.wait(1)
            try:
                return ask()
            except redis.RedisError:
                raise GivenBack from None


class _WaitingRows:
    """The rows that wait for Redis: said when the first begins to, and when none is left."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting = 0

    @contextmanager
    def place(self, row: str) -> Iterator[Callable[[Exception], None]]:
        """Yield what takes note that a row has to wait; leaving ends its waiting."""
        is_waiting = False

        def waits(error: Exception) -> None:
            nonlocal is_waiting
            if is_waiting:
                return
            is_waiting = True
            with self._lock:
                self._waiting += 1
                if self._waiting == 1:
                    logger.warning("row %s waits for Redis, and so will others: %s", row, reason(error))

        goes_on = False
        try:
            yield waits
            goes_on = True
        finally:
            if is_waiting:
                with self._lock:
                    self._waiting -= 1
                    if goes_on and not self._waiting:
                        logger.warning("rows go on: Redis takes again what they ask")
