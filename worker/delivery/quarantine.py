"""Rows that may have killed a worker: each works alone, under a mark in Redis that its worker's end leaves standing.

Redis says of a message only that it was delivered before, not how often, and says it of a dead worker's innocent rows
and of rows that were given back, too. So a row is judged by nothing but the marks that stand of dead processes: each
was set before the row worked alone, and would have been removed however it ended, if its process had lived.
"""

from contextlib import suppress
from secrets import token_hex
from typing import Any, Final

import redis

from worker.contract.errors import CrashedError
from worker.contract.redis_keys import KEPT, run_key

#: Names this process, and no other that ever ran: a worker that is started again has the same name in Celery.
INSTANCE: Final = token_hex(8)


def life_key(instance: str) -> str:
    """Name the key that Redis holds for as long as a process lives, and a little longer."""
    return f"fleet:worker:{instance}"


def live(pipe: "redis.client.Pipeline", timeout: float, instance: str = INSTANCE) -> None:
    """Say that a process lives; it must say so again before half of its messages' visibility timeout has passed.

    A dead one must count as dead by the time that others have its rows.
    """
    pipe.set(life_key(instance), 1, px=int(timeout * 500))


class Quarantine:
    """The marks that this process sets and counts."""

    def __init__(
        self,
        client: redis.Redis,
        hasty: redis.Redis,
        *,
        max_crashes: int,
        timeout: float,
        instance: str = INSTANCE,
    ) -> None:
        """`hasty` raises at once where Redis does not answer; `timeout` is the visibility timeout, in seconds."""
        self._client = client
        self._hasty = hasty
        self._max_crashes = max_crashes
        self._timeout = timeout
        self._instance = instance
        self._standing: set[str] = set()

    def mark(self, run: str, row: int) -> None:
        """Set this process's mark on a row that is about to work alone.

        Raises:
            CrashedError: too many marks of dead processes stand.

        """
        key = _marks_key(run, row)
        if self._crashes(key) >= self._max_crashes:
            raise CrashedError(f"crashed its worker {self._max_crashes} times.")
        self._standing.add(key)
        with self._client.pipeline(transaction=True) as pipe:
            live(pipe, self._timeout, self._instance)
            pipe.sadd(key, self._instance)
            pipe.expire(key, KEPT)
            pipe.execute()

    def lift(self, run: str, row: int) -> None:
        """Take this process's mark away from a row: it did no harm."""
        key = _marks_key(run, row)
        self._client.srem(key, self._instance)
        self._standing.discard(key)

    def clear(self, run: str, row: int) -> None:
        """Take all marks away from a row whose error is recorded: sent again, into a mended fleet, it begins anew."""
        self._client.delete(_marks_key(run, row))

    def absolve(self) -> None:
        """Take away the marks that stand, as far as Redis answers: the process ends by a fault that is no row's."""
        with suppress(redis.RedisError):
            for key in tuple(self._standing):
                self._hasty.srem(key, self._instance)

    def _crashes(self, key: str) -> int:
        marks: Any = self._client.smembers(key)
        others = [str(mark, "utf-8") for mark in marks if str(mark, "utf-8") != self._instance]
        return sum(not self._client.exists(life_key(other)) for other in others)


def _marks_key(run: str, row: int) -> str:
    return run_key(run, f"alone:{row}")
