"""Since when messages are in hand, by Redis' own clock: those of machines differ, and are set while a worker runs."""

import logging
import time
from collections.abc import Callable
from typing import Any

import redis
from kombu.transport.redis import Channel
from kombu.transport.virtual import QoS
from kombu.utils.json import dumps

logger = logging.getLogger(__name__)


def redis_now(client: redis.Redis) -> float:
    """Return Redis' time, in seconds."""
    answer: Any = client.time()
    seconds, microseconds = answer
    return float(seconds + microseconds / 1e6)


def take(qos: QoS, message: Any, tag: str) -> None:
    """Note in Redis that a message is in hand, as kombu's own `append` does by the clock of its machine."""
    delivery = message.delivery_info
    body = dumps([message._raw, delivery["exchange"], delivery["routing_key"]])  # noqa: SLF001 - kombu's own form
    with qos.channel.conn_or_acquire() as client:
        now = redis_now(client)
        with client.pipeline(transaction=True) as pipe:
            pipe.zadd(qos.channel.unacked_index_key, {tag: now})
            pipe.hset(qos.channel.unacked_key, tag, body)
            pipe.execute()


def overdue(client: redis.Redis, channel: Channel, now: float, timeout: float) -> list[bytes]:
    """Return the tags of messages that nobody has renewed, in the order in which they are to be given back.

    A message of the future was noted before Redis' clock was set back, and whoever lives has renewed its own since.
    """
    with client.pipeline(transaction=False) as pipe:
        # The oldest last: each is put before those that wait.
        pipe.zrange(channel.unacked_index_key, "+inf", now + timeout, desc=True, byscore=True)
        pipe.zrange(channel.unacked_index_key, now - timeout, "-inf", desc=True, byscore=True)
        of_the_future, of_the_past = pipe.execute()
    return [*of_the_future, *of_the_past]


class Judge:
    """Tells whether a worker knows enough of the others to take one that is silent for dead.

    It does not while it was cut off from Redis or frozen, nor for a while after that or after Redis' clock was set:
    nobody could renew meanwhile, and some come back later than others.
    """

    def __init__(self, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`timeout`: seconds without a renewal after which a message is others'."""
        self._timeout = timeout
        self._clock = clock
        #: By the worker's own clock: of the last renewal, and from which on it may judge.
        self._renewed = float("-inf")
        self._begins = float("-inf")
        #: By how much Redis' clock differs from this one; None before it was first asked.
        self._difference: float | None = None

    def cut_off(self) -> None:
        """Begin anew after a lost connection."""
        self._begins = self._clock() + self._timeout

    def renewed(self, redis_time: float) -> None:
        """Hear that this worker's own messages were renewed at a time of Redis'."""
        self._look_at(redis_time)
        self._renewed = self._clock()

    def may_judge(self, redis_time: float) -> bool:
        """Tell whether it may at a time of Redis'."""
        self._look_at(redis_time)
        now = self._clock()
        return now >= self._begins and now - self._renewed < self._timeout / 2

    def _look_at(self, redis_time: float) -> None:
        before, self._difference = self._difference, redis_time - self._clock()
        # Messages are renewed four times per timeout: less than that does not make those of a living worker overdue.
        if before is not None and abs(set_by := self._difference - before) > self._timeout / 4:
            logger.warning("Redis' clock was set by %+.0f s: nobody is taken for dead for %g s", set_by, self._timeout)
            self.cut_off()
