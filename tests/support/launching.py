"""Where what forks the tests' processes comes from: one for all of them, or one of its own for a process of tests."""

import os
import shlex
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.support.place import PROJECT

#: The folder in which launchers listen that serve every process of the tests.
_SHARED: Final = "TESTS_LAUNCHERS"


class _Launchers:
    """Launchers, each with its socket in one folder; they end with the process that has started them."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="fleet-launchers-")
        self.folder = Path(self._folder.name)
        self._alive: list[subprocess.Popen[bytes]] = []

    def start(self, preloaded: str) -> None:
        """Start one; who connects waits until it has imported what it imports."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
            listening.bind(str(self.folder / preloaded))
            listening.listen()
            command = ["tests.support.launcher", str(listening.fileno()), f"tests.support.imported_by_{preloaded}"]
            self._alive.append(
                subprocess.Popen(
                    [sys.executable, "-m", *command],
                    cwd=PROJECT,
                    env={**os.environ, "PYTHONPATH": str(PROJECT)},
                    stdin=subprocess.PIPE,
                    pass_fds=[listening.fileno()],
                    start_new_session=True,  # Ctrl-C is the tests'
                )
            )


@cache
def _own() -> _Launchers:
    return _Launchers()


def share_launchers() -> None:
    """Start launchers for all processes that this one will start; each of them would have its own."""
    for preloaded in ("commands", "workers"):
        _own().start(preloaded)
    os.environ[_SHARED] = str(_own().folder)


def forked_python() -> str:
    """Return what `python -c` is called by where it shall have imported what workers do."""
    return shlex.join([sys.executable, str(PROJECT / "tests" / "support" / "forked_python.py")])


@cache
def launcher(preloaded: str) -> socket.socket:
    """Return a connection to the launcher that has imported `tests.support.imported_by_<preloaded>`."""
    shared = os.environ.get(_SHARED)
    if not shared:
        _own().start(preloaded)
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connected.connect(str(Path(shared or _own().folder, preloaded)))
    return connected
