"""Workers on this machine: one per GPU, started for one run and stopped after it."""

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from producer.collecting.progress import Status
from producer.local.interpreter import require_worker_extra, worker_python
from producer.local.launcher import launched
from producer.local.started import StartedWorker
from worker.contract.errors import RunError, one_line
from worker.settings.fleet import Settings

#: Seconds that a stopping worker has for the batch on its GPU. Plain diffusers was published at 14.4 s per image on an
#: H100, so that a batch of four takes about a minute.
_GRACE = 300

#: What is said before that, since whoever presses Ctrl-C wants to see that it was heard.
_STOPPING = (
    "Stopping: what is on the GPU is finished first, then all that this command has started is stopped;"
    " Ctrl-C again does not wait."
)

#: Seconds between two looks at a worker's log.
POLL = 0.1

#: Most characters of a line of it that are shown while it starts.
_LONGEST = 200


class LocalWorkers:
    """The workers of one machine. Use as a context manager: leaving it stops those that were started."""

    def __init__(self, settings: Settings, folder: Path, devices: list[str], say: Callable[[str], None]) -> None:
        self._settings = settings
        self._folder = folder
        self._devices = devices
        self._say = say
        self._workers: list[StartedWorker] = []
        #: Whether one was drained; and rows that were answered when it was first seen that none is left.
        self._drained = False
        self._answered: int | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            if exc[0] is not None and any(worker.process.poll() is None for worker in self._workers):
                self._say(_STOPPING)
            for worker in self._workers:
                worker.process.terminate()
            for worker in self._workers:
                worker.process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._kill()
        except BaseException:  # a second Ctrl-C: no more waiting for the batch on the GPU
            self._kill()
            raise
        finally:
            self._stack.close()

    def _kill(self) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.wait()

    def start(self) -> None:
        """Start one worker per device; each writes its own log into the run folder.

        Raises:
            RunError: what workers need is not installed where they are to run.

        """
        if self._workers or self._drained:
            return
        require_worker_extra(self._settings)
        for number, device in enumerate(self._devices):
            name = f"gpu{device}" if device else f"cpu{number}"
            if device in self._devices[:number]:
                name += f"-{number}"  # several share a GPU
            self._workers.append(self._started(number, name, device))

    def wait_until_ready(self, watch: Callable[[], None], tell: Callable[[str], None]) -> None:
        """Wait until one of them has loaded its model, so that a machine that cannot edit costs the run nothing.

        `watch` is called meanwhile, and may raise to end the waiting; `tell` is told what the first of them is doing.

        Raises:
            RunError: one has ended; the sentence carries its own last word.

        """
        begun = time.monotonic()
        while not self.are_ready(begun, tell):
            watch()
            time.sleep(POLL)

    def are_ready(self, begun: float, tell: Callable[[str], None]) -> bool:
        """Look whether one of them has loaded its model; `begun`: since when, on the monotonic clock, it is awaited.

        Raises:
            RunError: one has ended; the sentence carries its own last word.

        """
        if any(worker.was_ready for worker in self._workers):
            return True
        self.check()
        doing = one_line(self._workers[0].doing, _LONGEST)
        tell(f"waiting for the model, {time.monotonic() - begun:.0f} s ({doing})")
        return False

    def check(self, status: Status | None = None) -> None:
        """Make sure that every worker lives; start those again that had been ready, as any supervisor of workers does.

        One that was drained is not started again.

        Raises:
            RunError: one has ended before it was ever ready, or none is left; the sentence carries its own last word.

        """
        for worker in [worker for worker in self._workers if worker.process.poll() is not None]:
            self._workers.remove(worker)
            ended = f"The worker {worker.name} ended (exit code {worker.process.returncode})"
            if worker.was_drained:
                self._drained = True
                self._say(f"The worker {worker.name} was drained, and is not started again.")
            elif worker.was_ready:
                self._say(f"{ended} and is started again: {worker.last_word}")
                self._workers.append(self._started(worker.number, worker.name, worker.device, again=True))
            elif worker.again and self._workers:
                self._say(f"{ended}, and the others go on without it: {worker.last_word}")
            else:
                raise RunError(f"{ended}: {worker.last_word}")

        if self._drained and not self._workers:
            self._nobody_is_left(status)

    def _nobody_is_left(self, status: Status | None) -> None:
        answered = None if status is None else status.answered
        if answered is not None and answered != self._answered:  # what they have answered last may be on its way
            self._answered = answered
            return
        raise RunError(
            "Every worker of this command was drained, and rows are left; the same command goes on with them, and"
            f" `producer collect {self._folder}` waits for other workers."
        )

    def _started(self, number: int, name: str, device: str, *, again: bool = False) -> StartedWorker:
        log = self._folder / f"worker-{name}.log"
        output = self._stack.enter_context(log.open("ab"))
        begin = output.tell()
        command = ("-m", "worker", "-A", "worker", "worker", "-l", "INFO", "-n", f"{name}@%h")
        process = launched(
            *command, environment=self._environment(number, device), output=output, python=worker_python(self._settings)
        )
        return StartedWorker(
            number=number, name=name, device=device, log=log, begin=begin, process=process, again=again
        )

    def _environment(self, number: int, device: str) -> dict[str, str]:
        settings = self._settings
        if settings.metrics_port is not None:  # each has its own
            settings = settings.model_copy(update={"metrics_port": settings.metrics_port + number})
        return {**environment(settings), **({"CUDA_VISIBLE_DEVICES": device} if device else {})}


def environment(settings: Settings) -> dict[str, str]:
    """Return this process's environment, with the settings as they are here: for processes that read them there."""
    # Rows say which LoRAs they want; a path of one may hold a comma, which a variable would take for two.
    values = settings.model_dump(exclude={"lora"})
    given = {name: value for name, value in values.items() if value is not None}
    return {**os.environ, **{f"FLEET_{name.upper()}": _as_text(value) for name, value in given.items()}}


def _as_text(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
