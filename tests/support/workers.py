"""Real worker processes: started as a user starts them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.forked import Forked
from tests.support.place import PROJECT, python_path
from tests.support.waiting import wait_until


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Return this process's environment without its own settings, and with these; what is run is this checkout."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("FLEET_")}
    inherited["PYTHONPATH"] = python_path()
    inherited["PYTHONFAULTHANDLER"] = "1"  # see `WorkerProcess.stop`
    # What a test sees of a worker that is killed is its log.
    given = {"diffuser_model_name": "demo", "log_rows": True, **settings}
    return {**inherited, **{f"FLEET_{key.upper()}": str(value) for key, value in given.items()}}


#: Starts a worker of a name, with a log and settings, or with another app than the project's own.
StartWorker = Callable[..., "WorkerProcess"]


@dataclass
class WorkerProcess:
    """A `celery -A worker worker` process and its log."""

    name: str
    log: Path
    process: subprocess.Popen[bytes] | Forked

    def lines(self) -> list[str]:
        """Return the log so far."""
        return self.log.read_text(errors="replace").splitlines()

    def logged(self, text: str) -> bool:
        """Tell whether a line of the log holds the text."""
        return any(text in line for line in self.lines())

    def wait_until_ready(self) -> None:
        """Wait until Celery says that the worker takes rows."""
        wait_until(self._ready_or_dead, f"{self.name} is ready", limit=180)  # one that compiles, on a busy machine

    def _ready_or_dead(self) -> bool:
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-3000:]
        return self.logged(f"{self.name}@") and self.logged(" ready.")

    def stop(self, limit: float = 60.0) -> int:
        """Send SIGTERM and return the exit code; of one that does not end, show what each of its threads is at."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # Python's faulthandler writes it into the log
            self.process.wait()
        said = "\n".join(self.lines()[-150:])
        raise AssertionError(f"the worker {self.name} did not end within {limit} s; its log ends:\n{said}")


def _arguments(name: str, app: str, level: str = "INFO") -> list[str]:
    return ["-A", app, "worker", "-l", level, "-n", f"{name}@%h"]


def fork_worker(
    name: str, log: Path, settings: Mapping[str, object], app: str = "worker", *, level: str = "INFO"
) -> WorkerProcess:
    """Start a worker that need not import its libraries first."""
    log.touch()  # it may be read before the process has opened it
    process = Forked(
        "celery",
        _arguments(name, app, level),
        folder=PROJECT,
        environment=environment(settings),
        stdout=log,
        stderr=log,
    )
    return WorkerProcess(name, log, process)


def start_worker(name: str, log: Path, settings: Mapping[str, object], app: str = "worker") -> WorkerProcess:
    """Start a worker as a user does; one thread of torch each, since the tests have two cores for two workers."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", *_arguments(name, app)],
            cwd=PROJECT,
            env={**environment(settings), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return WorkerProcess(name, log, process)
