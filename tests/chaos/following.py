"""The run as its user drives it: `submit` until every row is sent, then `collect`; whatever dies is begun again."""

import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from producer.run.ledger import Ledger
from producer.run.records import State
from tests.support.cli import PRODUCER
from tests.support.workers import environment

#: How often a command may end badly by itself before the test gives up.
_MOST_FAILURES = 5


class Following:
    """A run, the command that holds it, and when its rows were answered."""

    def __init__(
        self,
        source: Path,
        name: str,
        *,
        options: Sequence[object],
        settings: Mapping[str, object],
        redis_answers: Callable[[], bool],
    ) -> None:
        self.source = source
        self.folder = folder = source.parent / name
        self.command = "submit"
        self.finished = False
        #: What went wrong with the commands, without anybody having killed them.
        self.complaints: list[str] = []
        #: The ledger's answered rows, and when each was seen there first, in seconds since the epoch.
        self.answered: dict[int, float] = {}
        self._id = ""
        self._arguments: dict[str, list[object]] = {
            "submit": [source, "--run-dir", folder, *options],
            "collect": [folder],
        }
        self._environment = environment(settings)
        self._redis_answers = redis_answers
        self._begin()

    @property
    def log(self) -> Path:
        """Where its commands write."""
        return self.folder.with_name(f"{self.folder.name}.log")

    @property
    def id(self) -> str:
        """The run's id; empty before it is known."""
        return self._id

    def row(self, number: int) -> str:
        """Name a row as the workers' logs do."""
        return f"{self.id}.{number}"

    def holds(self, command: str) -> bool:
        """Tell whether this command is running, and has taken the run."""
        lock = self.folder / "run.lock"
        return self.command == command and lock.is_file() and f"process {self._process.pid} " in lock.read_text()

    def kill(self) -> None:
        """Kill the command, and begin it again."""
        self.stop()
        self._read_ledger()
        self._begin()

    def stop(self) -> None:
        """Kill the command for good."""
        self._process.kill()
        self._process.wait()

    def look(self) -> None:
        """Take note of new answers, and begin the next command where one has ended."""
        self._read_ledger()
        self._redis_was_away |= not self._redis_answers()
        code = self._process.poll()
        if code is None or self.finished:
            return
        if code == 0 and self.command == "collect":
            self._read_ledger()
            self.finished = True
            return
        if code == 0:
            self.command = "collect"
        elif not self._said_that_redis_is_away():
            self.complaints.append(f"`producer {self.command}` ended by itself with {code}: {self._last_words()}")
            assert len(self.complaints) < _MOST_FAILURES, f"{self.complaints}; see {self.log}"
        self._begin()

    def _said_that_redis_is_away(self) -> bool:
        """Tell whether the command ended as one should that finds no Redis where it begins."""
        return self._redis_was_away and "does not answer (Connection refused); start it" in self._last_words()

    def _begin(self) -> None:
        self._redis_was_away = False
        arguments = [self.command, *map(str, self._arguments[self.command])]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [PRODUCER, *arguments],
                cwd=self.folder.parent,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _read_ledger(self) -> None:
        # Before the first command has made its tables there is nothing to read.
        with suppress(sqlite3.OperationalError), Ledger(self.folder, read_only=True) as ledger:
            if not (run := ledger.get("run")):
                return
            self._id = run
            states = ledger.states()
            if states[State.DONE] + states[State.FAILED] == len(self.answered):
                return
            now = time.time()
            for record in ledger.records():
                if record.state in {State.DONE, State.FAILED}:
                    self.answered.setdefault(record.row, now)

    def _last_words(self) -> str:
        with suppress(OSError, IndexError):
            return self.log.read_text(errors="replace").splitlines()[-1]
        return ""


@contextmanager
def following(
    source: Path,
    name: str,
    *,
    options: Sequence[object],
    settings: Mapping[str, object],
    redis_answers: Callable[[], bool],
) -> Iterator[Following]:
    """Begin a run in the folder `name` beside its input; at the end kill the command that is still there."""
    run = Following(source, name, options=options, settings=settings, redis_answers=redis_answers)
    try:
        yield run
    finally:
        run.stop()
