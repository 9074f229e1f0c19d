"""How a Redis is made to refuse, and to take what it is asked again."""

from collections.abc import Callable
from typing import NamedTuple

import redis

from tests.support.servers import RedisServer


class Refusal(NamedTuple):
    """A refusal that passes."""

    #: The word that Redis says.
    word: str
    begin: Callable[[RedisServer, redis.Redis], object]
    end: Callable[[RedisServer, redis.Redis], object]

    def begins(self, server: RedisServer) -> None:
        """Have the server refuse."""
        with server.operator() as client:
            self.begin(server, client)

    def ends(self, server: RedisServer) -> None:
        """Have it take everything again."""
        with server.operator() as client:
            self.end(server, client)


#: A failover leaves the old server as somebody's replica; here of a port where nobody is.
READONLY = Refusal(
    "READONLY", lambda _, client: client.replicaof("127.0.0.1", "1"), lambda _, client: client.replicaof("NO", "ONE")
)
MISCONF = Refusal("MISCONF", lambda server, _: server.break_snapshots(), lambda server, _: server.mend_snapshots())
NOREPLICAS = Refusal(
    "NOREPLICAS",
    lambda _, client: client.config_set("min-replicas-to-write", "1"),
    lambda _, client: client.config_set("min-replicas-to-write", "0"),
)
OOM = Refusal(
    "OOM", lambda _, client: client.config_set("maxmemory", "1"), lambda _, client: client.config_set("maxmemory", "0")
)
