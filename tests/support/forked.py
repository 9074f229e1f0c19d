"""Processes of their own, started in a tenth of the time: forked from one that has imported the libraries.

Importing torch and diffusers takes a worker five seconds of a core, and Celery, Redis and pydantic a command one; the
tests start hundreds. What is imported beforehand are libraries, and nothing of the project: a process reads its own
environment, makes its own names, and imports its own modules, as one does that a user starts. Where the start itself is
measured, or what others see of a process, it is started as a user does.
"""

import atexit
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from weakref import WeakSet

# At import: a process has one such server, and what is tested (the demo model's training) may be the first to start it.
_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.libraries"])

#: Those that may still run.
_begun: "WeakSet[Forked]" = WeakSet()


@atexit.register  # runs before multiprocessing's own end, which waits without limit for one that is stopped or stuck
def _end_all() -> None:
    for process in _begun:
        process.kill()


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
        command = [entry, *map(str, arguments)]
        self._process = _CONTEXT.Process(
            target=_run,
            args=(command, str(folder), dict(environment), str(stdout), str(stderr)),
            name="MainProcess",  # as logs name one that was not forked
            daemon=True,  # whatever a test leaves behind ends with the tests
        )
        self._process.start()
        _begun.add(self)

    @property
    def pid(self) -> int:
        """Its number, and that of its session."""
        return int(self._process.pid)

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative where a signal ended it; None while it runs."""
        return self.poll()

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        code: int | None = self._process.exitcode
        return code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return its exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs after so many seconds.

        """
        self._process.join(timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

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


def _run(command: Sequence[str], folder: str, environment: Mapping[str, str], stdout: str, stderr: str) -> None:
    # It starts processes of its own, and asks whether it is the first; so to itself it is no child of multiprocessing.
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined] # noqa: SLF001
    multiprocessing.process._parent_process = None  # type: ignore[attr-defined] # noqa: SLF001
    os.setsid()
    for path, number in ((stdout, 1), (stderr, 2)):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(handle, number)
        os.close(handle)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    entry, *arguments = command
    module, _, function = entry.partition(":")
    sys.argv = [module.partition(".")[0], *arguments]
    try:
        if function:
            getattr(import_module(module), function)()
        else:
            sys.path[0] = folder  # as `python -m` has it
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()  # noqa: SLF001 - multiprocessing's own end leaves them out
