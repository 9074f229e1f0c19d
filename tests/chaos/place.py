"""A place for a worker: whoever ends there is followed by another of the same name, as under a supervisor."""

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired

from tests.chaos.logs import WorkerLog
from tests.support.workers import StartWorker

#: How often a worker may end badly by itself before the test gives up; and seconds for its end at the end.
_MOST_FAILURES, _GRACE = 5, 60


class Place:
    """A worker's place, as a supervisor keeps it."""

    def __init__(self, name: str, folder: Path, settings: Mapping[str, object], start: StartWorker) -> None:
        self.name = name
        #: One log per process: the next one must not hide what the last one did.
        self.logs: list[WorkerLog] = []
        self.groups: list[int] = []
        self.frozen = False
        self.ending = False
        self.complaints: list[str] = []
        self._folder = folder
        self._settings = settings
        self._start = start
        self.start()

    def start(self) -> None:
        """Start a worker here."""
        path = self._folder / f"{self.name}-{len(self.logs)}.log"
        self.worker = self._start(self.name, path, self._settings)
        self.logs.append(WorkerLog(path))
        self.groups.append(self.worker.process.pid)
        self.frozen = self.ending = False

    @property
    def log(self) -> WorkerLog:
        """The log of the worker that is here now."""
        return self.logs[-1]

    @property
    def works(self) -> bool:
        """Whether a worker is here that takes rows."""
        return self.log.is_ready and not self.frozen and not self.ending and self.worker.process.poll() is None

    def look(self) -> None:
        """Read what the worker says; where it has ended, start another."""
        code = self.worker.process.poll()
        self.log.look()
        if code is None:
            return
        if not (self.ending and code == 0):
            told = "after SIGTERM" if self.ending else "by itself"
            self.complaints.append(f"{self.name} ended {told} with {code}; see {self.log.path}")
            assert len(self.complaints) < _MOST_FAILURES, self.complaints
        self.start()

    def kill(self) -> None:
        """Kill the worker, and start another."""
        self.worker.process.kill()
        self.worker.process.wait()
        self.log.look()
        self.start()

    def freeze(self) -> None:
        """Stop the worker where it stands, with all of its processes."""
        self.frozen = True
        os.killpg(self.worker.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.killpg(self.worker.process.pid, signal.SIGCONT)
        self.frozen = False

    def terminate(self) -> None:
        """Tell the worker to end; when it has, another is started."""
        self.ending = True
        self.worker.process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        """Wait until the worker has ended as it was told to."""
        with suppress(TimeoutExpired):
            self.worker.process.wait(_GRACE)
        if (code := self.worker.process.poll()) != 0:
            self.complaints.append(f"{self.name} ended at the end with {code}; see {self.log.path}")
        self.log.look()

    def clear(self) -> None:
        """Kill the worker for good."""
        self.worker.process.kill()
        self.worker.process.wait()
