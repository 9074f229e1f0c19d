"""Two Redis servers, a master and its replica, and a Sentinel that changes their places when the master dies."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis

from producer.local.redis import redis_server
from tests.support.servers import RedisServer, free_port, running_redis
from tests.support.waiting import wait_until

MASTER = "fleet-master"

#: As short as a Sentinel lets it be without taking a server that works for a dead one.
_CONFIGURATION = """
sentinel monitor {name} 127.0.0.1 {port} 1
sentinel down-after-milliseconds {name} 1000
sentinel failover-timeout {name} 3000
"""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The servers, and the port of what watches over them."""

    master: RedisServer
    replica: RedisServer
    port: int

    @property
    def url(self) -> str:
        """The broker's URL: of two Sentinels the first is not there, as may be."""
        return f"sentinel://127.0.0.1:1;sentinel://127.0.0.1:{self.port}/0?master_name={MASTER}"

    def is_master(self, server: RedisServer) -> bool:
        """Tell whether the Sentinel names this server."""
        with suppress(redis.RedisError), redis.Redis(port=self.port) as sentinel:
            found: Any = sentinel.sentinel_get_master_addr_by_name(MASTER)
            return bool(found and found[1] == server.replication_port)
        return False

    def fail_over(self) -> None:
        """Kill the master, and wait until the replica is the master, and takes writes."""
        self.master.kill()
        wait_until(lambda: self.is_master(self.replica), "the Sentinel has another master")


@contextmanager
def running_sentinel() -> Iterator[Watched]:
    """Run them until the end of the test."""
    with (
        running_redis(replicated=True) as master,
        running_redis(replicated=True) as replica,
        TemporaryDirectory(prefix="fleet-sentinel-") as folder,
    ):
        replica.follow(master)
        file, port = Path(folder) / "sentinel.conf", free_port()
        file.write_text(_CONFIGURATION.format(name=MASTER, port=master.replication_port))
        command = [redis_server(), str(file), "--sentinel", "--port", str(port), "--bind", "127.0.0.1"]
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            watched = Watched(master=master, replica=replica, port=port)
            wait_until(lambda: _knows_both(watched), "the Sentinel knows both servers")
            yield watched
        finally:
            process.kill()
            process.wait()


def _knows_both(watched: Watched) -> bool:
    with suppress(redis.RedisError), redis.Redis(port=watched.port) as sentinel:
        replicas: Any = sentinel.sentinel_slaves(MASTER)
        return watched.is_master(watched.master) and len(replicas) == 1
    return False
