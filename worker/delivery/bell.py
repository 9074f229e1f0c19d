"""Waking a worker that waits for rows: it asks again, with what it knows by now."""

from contextlib import suppress
from typing import Any, Final

import redis

from worker.contract.redis_keys import bell_key
from worker.delivery.quarantine import INSTANCE

#: A list of this process alone, among the queues that it waits for.
BELL: Final = bell_key(INSTANCE)

#: Seconds after which a bell that nobody heard is silent.
_SILENT: Final = 60


def hang_up(channel: Any) -> None:
    """Have a channel take what comes from the bell for no message."""
    channel.connection._callbacks[BELL] = lambda _: None  # noqa: SLF001 - where kombu notes who gets a queue's messages


def ring(channel: Any) -> None:
    """End the channel's waiting, if it waits."""
    if not channel._in_poll:  # noqa: SLF001
        return
    # Of a Redis that is away or refuses nobody waits for rows.
    with suppress(redis.RedisError, OSError), channel.conn_or_acquire() as client, client.pipeline() as pipe:
        pipe.lpush(BELL, "null")
        pipe.expire(BELL, _SILENT)
        pipe.execute()
