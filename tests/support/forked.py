"""Processes of their own, started in a tenth of the time: forked from one that has imported what they import.

Importing torch and diffusers takes a worker five seconds of a core, and a command its libraries and modules one; the
tests start hundreds. A worker finds libraries imported and nothing of the project, since it makes itself a name while
its modules are imported. A command is forked from a process without torch, which is forked and ended sooner, and that
has imported the producer, too: none of its modules reads a setting or makes anything random
(`tests/unit/project/test_imports.py`); only the language and the width of the terminal are those of the tests. Where
the start itself is measured, or what others see of a process, it is started as a user does.
"""

import os
import pickle
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from select import select
from tempfile import TemporaryDirectory

from tests.support.launcher import NUMBER, Order
from tests.support.launching import launcher


class Forked:
    """A process that was forked; it answers like a `subprocess.Popen`."""

    def __init__(
        self,
        entry: str,
        arguments: Sequence[object],
        *,
        folder: Path,
        environment: Mapping[str, str],
        stdout: Path,
        stderr: Path,
    ) -> None:
        """Begin a command in a folder, in a session of its own; what it says is appended to files.

        `entry`: a module, which is run as `python -m` runs it, or a console script's `module:function`.
        """
        words = [*map(str, arguments)]
        # It starts workers, which find imported what it has.
        begets = entry.startswith("producer.") and words[:1] == ["run"]
        is_light = entry.startswith("producer.") and not begets
        asked = launcher("commands" if is_light else "workers")
        order = Order(entry, words, str(folder), dict(environment), begets)
        self._told, told = os.pipe()
        with Path(os.devnull).open("rb") as nothing, stdout.open("ab") as out, stderr.open("ab") as err:
            descriptors = [told, nothing.fileno(), out.fileno(), err.fileno()]
            try:
                socket.send_fds(asked, [pickle.dumps(order)], descriptors)
            finally:
                os.close(told)
        self.pid = self._number()
        self._code: int | None = None

    def __del__(self) -> None:
        """Close what its end would be told by."""
        os.close(self._told)

    def _number(self) -> int:
        if not (told := os.read(self._told, NUMBER.size)):
            raise ChildProcessError("what forks the tests' processes has ended")
        (number,) = NUMBER.unpack(told)
        return int(number)

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative where a signal ended it; None while it runs."""
        return self.poll()

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return its exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs after so many seconds.

        """
        if self._code is None:
            ready, _, _ = select([self._told], [], [], timeout)
            if not ready:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self._code = self._number()
        return self._code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send it SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send it SIGKILL."""
        self.send_signal(signal.SIGKILL)


def run_forked(
    entry: str, arguments: Sequence[object], *, folder: Path, environment: Mapping[str, str], limit: float
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, like `subprocess.run`.

    Raises:
        subprocess.TimeoutExpired: it has not ended after `limit` seconds; it is killed.

    """
    with TemporaryDirectory(prefix="fleet-said-") as said:
        stdout, stderr = Path(said, "stdout"), Path(said, "stderr")
        process = Forked(entry, arguments, folder=folder, environment=environment, stdout=stdout, stderr=stderr)
        try:
            code = process.wait(limit)
        finally:
            process.kill()
        return subprocess.CompletedProcess([entry, *map(str, arguments)], code, stdout.read_text(), stderr.read_text())
