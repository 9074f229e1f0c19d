"""Redis servers that the tests stop, kill and start again."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import redis

from producer.local.redis import redis_server
from tests.support.waiting import wait_until
from worker.contract.outcomes import open_redis


@dataclass
class RedisServer:
    """A server on a Unix socket that writes every command to its append-only file, as a fleet's does."""

    #: Owner-only, and short enough for a socket.
    folder: Path
    command: Sequence[str] = field(default_factory=lambda: [redis_server()])
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The broker's URL."""
        return f"redis+socket://{self.folder}/redis.sock"

    def start(self) -> None:
        """Start it, on what its folder holds, and wait until it answers."""
        options = ["--port", "0", "--unixsocket", f"{self.folder}/redis.sock", "--dir", str(self.folder)]
        # always: what a kill may lose under "everysec" would make a test's outcome a matter of luck.
        keeping = ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, *options, *keeping], stdout=log, stderr=log, start_new_session=True
            )
        wait_until(self.answers, "Redis answers", limit=30)

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

    def forget(self) -> None:
        """Drop what it has kept, while it is stopped."""
        for path in self.folder.glob("appendonlydir/*"):
            path.unlink()


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """Run a server until the end of the test."""
    with TemporaryDirectory(prefix="fleet-redis-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()
