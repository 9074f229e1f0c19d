"""Flower, Celery's monitor, for one run on one machine."""

import os
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self

from producer.local.launcher import launched
from producer.local.workers import environment
from worker.contract.errors import RunError
from worker.settings.fleet import Settings

#: This machine alone: its pages show instructions and paths, and ask for no password unless one is set.
_ADDRESS: Final = "127.0.0.1"

#: Seconds between two looks whether it answers, and most of them that it has to end.
_POLL: Final = 0.1
_GRACE: Final = 10


def require_flower(port: int | None) -> None:
    """Make sure that Flower can be started at a port; 0 stands for any, and None for no Flower.

    Raises:
        RunError: it is not installed, or the port is taken.

    """
    if port is None:
        return
    if find_spec("flower") is None:
        raise RunError(
            "Flower is not on this machine: install the project with its monitor extra (pip install '.[monitor]'), or"
            " leave --flower out."
        )
    _free(port)


class Flower:
    """A Flower that shows the rows of one run. Use as a context manager: leaving it stops what was started."""

    def __init__(self, settings: Settings, folder: Path, port: int | None, say: Callable[[str], None]) -> None:
        """`port`: 0 stands for any, and where it is None nothing is ever started."""
        self._settings = settings
        self._log = folder / "flower.log"
        self._port = port
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._has_said_it = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_GRACE)
        except BaseException as error:
            self._process.kill()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise

    def start(self) -> None:
        """Start it, unless it was: before the first row, since it knows only of what it has heard.

        Raises:
            RunError: its port is taken meanwhile.

        """
        if self._port is None or self._process is not None:
            return
        self._port = _free(self._port)
        command = ("-m", "worker", "-A", "worker", "flower", f"--address={_ADDRESS}", f"--port={self._port}")
        with self._log.open("ab") as output:
            self._process = launched(*command, environment=environment(self._settings), output=output)

    def announce(self, watch: Callable[[], None]) -> None:
        """Say its address, once, when it answers; `watch` is called meanwhile, and may raise to end the waiting.

        Raises:
            RunError: it has ended instead.

        """
        if self._process is None or self._has_said_it:
            return
        while not _answers(self._port or 0):
            watch()
            if (code := self._process.poll()) is not None:
                raise RunError(f"Flower ended (exit code {code}); see {self._log}.")
            time.sleep(_POLL)
        self._has_said_it = True
        self._say(f"Flower shows every row at http://{_ADDRESS}:{self._port}/tasks until the run ends.")


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((_ADDRESS, port), timeout=1):
        return True
    return False


def _free(port: int) -> int:
    """Return the port, or any free one for 0.

    Raises:
        RunError: it is taken.

    """
    try:
        with socket.create_server((_ADDRESS, port)) as free:
            return int(free.getsockname()[1])
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise RunError(f"Flower cannot have the port {port} ({reason}); name another with --flower-port.") from None
