"""Redis servers that the tests stop, kill and start again."""

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis

from producer.local.redis import redis_server
from tests.support.waiting import wait_until
from worker.contract.outcomes import open_redis

#: Name of a snapshot, which cannot be changed later.
_SNAPSHOT = "snapshot.rdb"


@dataclass
class RedisServer:
    """A server on a Unix socket that writes every command to its append-only file, as a fleet's does."""

    #: Owner-only, and short enough for a socket.
    folder: Path
    command: Sequence[str] = field(default_factory=lambda: [redis_server()])
    process: subprocess.Popen[bytes] | None = None
    #: Where other servers reach it, and nobody else; 0 for nowhere.
    replication_port: int = 0

    @property
    def url(self) -> str:
        """The broker's URL."""
        return f"redis+socket://{self.folder}/redis.sock"

    def start(self) -> None:
        """Start it, on what its folder holds, and wait until it answers."""
        options = ["--port", str(self.replication_port), "--repl-diskless-sync-delay", "0"]
        options += ["--bind", "127.0.0.1"] if self.replication_port else []
        options += ["--unixsocket", f"{self.folder}/redis.sock", "--dir", str(self.folder)]
        options += ["--dbfilename", _SNAPSHOT]
        # always: what a kill may lose under "everysec" would make a test's outcome a matter of luck.
        keeping = ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, *options, *keeping], stdout=log, stderr=log, start_new_session=True
            )
        wait_until(self.answers, "Redis answers")

    def answers(self) -> bool:
        """Tell whether it answers."""
        with suppress(redis.RedisError), open_redis(self.url, patience=0) as client:
            return bool(client.ping())
        return False

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def follow(self, other: "RedisServer") -> None:
        """Be another's replica, and wait until all that it has is here, too."""
        with self.operator() as client:
            client.replicaof("127.0.0.1", str(other.replication_port))
        wait_until(other.is_whole, "the replica has everything")

    def hand_over_to(self, replica: "RedisServer") -> None:
        """Change places with a replica that has everything: it takes writes, and this one refuses them."""
        with self.operator() as client:
            client.execute_command("FAILOVER", "TO", "127.0.0.1", replica.replication_port)  # type: ignore[no-untyped-call]
        wait_until(replica.is_whole, "the servers have changed places")

    def is_whole(self) -> bool:
        """Tell whether it takes writes, has a replica that follows, and is not just writing its file anew."""
        with suppress(redis.RedisError), self.operator() as client:
            facts: Any = client.info()
            follows = facts["role"] == "master" and facts.get("slave0", {}).get("state") == "online"
            return bool(follows and not facts["loading"] and not facts["aof_rewrite_in_progress"] and client.ping())
        return False

    def operator(self) -> redis.Redis:
        """Connect as who mends it: without a ping, which a server that refuses to write refuses, too."""
        return redis.Redis(unix_socket_path=f"{self.folder}/redis.sock", health_check_interval=0)

    def break_snapshots(self) -> None:
        """Have it fail to save a snapshot, after which it refuses every write (MISCONF), as with a full disk."""
        (self.folder / _SNAPSHOT).unlink(missing_ok=True)
        (self.folder / _SNAPSHOT).mkdir()  # in the way of the file, also for a superuser
        self._save("err")

    def mend_snapshots(self) -> None:
        """Have it save one again."""
        (self.folder / _SNAPSHOT).rmdir()
        self._save("ok")

    def _save(self, ends: str) -> None:
        with self.operator() as client:
            client.config_set("save", "86400 1")  # only who saves by itself refuses when that fails
            client.execute_command("BGSAVE")  # type: ignore[no-untyped-call]
            wait_until(lambda: self._saved(client) == ends, "Redis has tried to save a snapshot")

    @staticmethod
    def _saved(client: redis.Redis) -> str | None:
        facts: Any = client.info("persistence")
        return None if facts["rdb_bgsave_in_progress"] else str(facts["rdb_last_bgsave_status"])

    def forget(self) -> None:
        """Drop what it has kept, while it is stopped."""
        for path in self.folder.glob("appendonlydir/*"):
            path.unlink()


def free_port() -> int:
    """Return the number of a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def running_redis(*, replicated: bool = False) -> Iterator[RedisServer]:
    """Run a server until the end of the test; other servers reach only one that is `replicated`."""
    with TemporaryDirectory(prefix="fleet-redis-") as folder:
        server = RedisServer(Path(folder), replication_port=free_port() if replicated else 0)
        server.start()
        try:
            yield server
        finally:
            server.kill()
