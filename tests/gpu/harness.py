"""Runs parts, each in a process of its own with a time limit; the report is made anew after each. No torch."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from tests.gpu import report
from tests.gpu.archive import pack
from tests.gpu.catalog import Part
from tests.gpu.notes import BEGUN, BROKEN_OFF, DONE, FAILED, LATE, NO_TIME, REFUSED, amend
from tests.gpu.part import Order
from tests.support.place import PROJECT, python_path

#: In the environment of all that a part starts, whatever becomes of its parents: by this they are found and ended.
MARK: Final = "TESTS_GPU_PART"


class Process(Protocol):
    """A process that was begun."""

    pid: int

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return its exit code, or raise subprocess.TimeoutExpired."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


#: Begins `python -m tests.gpu.part` with an order, an environment and a file for all that it says.
Begin = Callable[[str, Mapping[str, str], Path], Process]


def begin(order: str, environment: Mapping[str, str], log: Path) -> Process:
    """Begin a part's process."""
    with log.open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.gpu.part", order],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


@dataclass(kw_only=True)
class Harness:
    """How all parts are run."""

    #: Of the results.
    folder: Path
    #: The report's first lines.
    head: Sequence[str]
    tiny: bool
    compiled: bool
    #: Whether there is a GPU, by nvidia-smi.
    gpu: bool
    #: Seconds that there are in all, or for a rehearsal, which leaves nothing out, none.
    seconds: float | None
    tell: Callable[[str], None]
    #: File that all results are packed into after each part.
    archive: Path | None = None
    #: How many times the parts' limits, which are a GPU's.
    patience: float = 1.0
    begin: Begin = begin
    #: Why parts did not begin.
    left_out: dict[str, str] = field(default_factory=dict)

    def run(self, parts: Sequence[Part], listed: Sequence[Part]) -> bool:
        """Run parts, those that there is time for; return whether none failed. `listed`: what the report lists."""
        begun, fine = time.monotonic(), True
        for part in parts:
            left = None if self.seconds is None else begun + self.seconds - time.monotonic()
            if left is not None and part.seconds > left:
                self.left_out[part.name] = f"{NO_TIME}: it takes some {part.seconds} s"
                self.tell(f"{part.name}: {self.left_out[part.name]}")
            else:
                limit = self.patience * part.limit
                # Where time is short, one part that hangs must not have all of the others'.
                short = limit if left is None else min(left, 30 + 1.3 * part.seconds)
                fine = self._run(part, min(limit, short)) and fine
            report.write(self.folder, self.head, listed, self.left_out)
            if self.archive is not None:
                pack(self.folder, self.archive)
        return fine

    def _run(self, part: Part, limit: float) -> bool:
        order = Order(
            part=part,
            folder=self.folder.absolute(),
            tiny=self.tiny,
            compiled=self.compiled,
            gpu=self.gpu,
            limit=limit,
        )
        mark, log = f"{os.getpid()}-{part.name}", self.folder / f"{part.name}.log"
        self.tell(f"{part.name}: {part.what}, at most {limit:.0f} s")
        before = time.monotonic()
        process = self.begin(str(order), _environment(mark), log)
        code: int | None = None
        try:
            with suppress(subprocess.TimeoutExpired):
                code = process.wait(limit)
        except KeyboardInterrupt:
            amend(self.folder, part.name, state=BROKEN_OFF, seconds=time.monotonic() - before)
            raise
        finally:
            process.kill()
            end_all(mark)
        found = self._ended(part, code, time.monotonic() - before)
        said = "; ".join(text for text in (found["headline"], found["reason"]) if text)
        self.tell(f"{part.name}: {found['state']} after {found['seconds']:.0f} s{': ' if said else ''}{said}")
        return found["state"] in {DONE, REFUSED}

    def _ended(self, part: Part, code: int | None, seconds: float) -> Mapping[str, object]:
        """Note what its process could not say of its own end."""
        found = amend(self.folder, part.name, seconds=seconds)
        if found["state"] != BEGUN:
            return found
        if code is None:
            return amend(
                self.folder, part.name, state=LATE, reason=f"what it had found by then is kept, see {part.name}.log"
            )
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return amend(self.folder, part.name, state=FAILED, reason=f"its process ended with {how}: see {part.name}.log")


def end_all(mark: str) -> None:
    """End every process of a part: its workers have sessions of their own, and would keep the GPU's memory."""
    wanted = f"{MARK}={mark}".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # another user's, or ended
            if wanted in path.read_bytes().split(b"\0"):
                os.kill(int(path.parent.name), signal.SIGKILL)


def _environment(mark: str) -> dict[str, str]:
    """Return what a part inherits: no settings but where kernels are kept, and this checkout before any other."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FLEET_", "PYTEST_")) or name == "FLEET_COMPILE_CACHE"
    }
    return {**inherited, MARK: mark, "PYTHONPATH": python_path(), "PYTHONUNBUFFERED": "1"}
