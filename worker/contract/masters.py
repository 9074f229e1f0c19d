"""Connecting to Sentinels, and to the Redis that they know as the master at the moment."""

from typing import Any

import redis
from redis.sentinel import Sentinel

from worker.contract.sentinel_url import Sentinels


def open_master(named: Sentinels, options: dict[str, Any]) -> redis.Redis:
    """Connect to the master with a client's options; each new connection asks the Sentinels who that is."""
    finder: Any = Sentinel(  # type: ignore[no-untyped-call]
        named.addresses,
        sentinel_kwargs=named.connection,
        db=named.database,
        username=named.username,
        password=named.password,
        **options,
    )
    master: redis.Redis = finder.master_for(named.master)
    return master


def open_sentinels(named: Sentinels) -> list[redis.Redis]:
    """Connect to each of the Sentinels, which are asked once."""
    return [redis.Redis(host=host, port=port, **named.connection) for host, port in named.addresses]
