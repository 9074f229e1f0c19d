"""What one `Fleet` starts on this machine: a Redis, and workers that keep their model from run to run."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from producer.collecting.progress import Status
from producer.conducting.host import Say
from producer.local.devices import devices
from producer.local.redis import EmbeddedRedis, running
from producer.local.workers import LocalWorkers
from producer.run.failures import folder_errors
from producer.sending.foresight import Foresight
from worker.contract.errors import RunError
from worker.contract.messages import EditRequest, Outcome
from worker.settings.fleet import Settings
from worker.settings.run import RunSettings


class SharedCrew:
    """Workers of one model, for all runs of a `Fleet` that take the same."""

    def __init__(self, workers: LocalWorkers) -> None:
        self._workers = workers
        self._lock = RLock()
        self._runs = 0
        #: Why none of them can edit; every run that waits for them is to hear of it.
        self._error: RunError | None = None

    @property
    def has_failed(self) -> bool:
        """Whether none of them can edit."""
        return self._error is not None

    @property
    def is_idle(self) -> bool:
        """Whether no run is at work with them."""
        return not self._runs

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Leave them up at the end: the next run needs no model loaded."""
        with self._lock:
            self._runs += 1
        try:
            yield
        finally:
            with self._lock:
                self._runs -= 1

    def start(self, watch: Callable[[], None]) -> None:
        """Start one worker per device, unless they were."""
        watch()
        with self._lock:
            self._workers.start()

    def make_ready(self, watch: Callable[[], None], tell: Callable[[str], None]) -> None:
        """Start them, and wait until one has loaded its model.

        Raises:
            RunError: one has ended instead.

        """
        self.start(watch)
        with self._heard():
            self._workers.wait_until_ready(watch, tell)

    def check(self, status: Status) -> None:
        """Start those again that had been ready and have ended.

        Raises:
            RunError: one has ended before it was ever ready, or none is left.

        """
        with self._lock, self._heard():
            if self._error is not None:
                raise self._error
            self._workers.check(status)

    def stop(self) -> None:
        """Stop them; each finishes the batch on its GPU first."""
        self._workers.__exit__(None, None, None)

    @contextmanager
    def _heard(self) -> Iterator[None]:
        try:
            yield
        except RunError as error:
            self._error = error
            raise


class CrewOfRun:
    """A run's part in workers that it shares."""

    def __init__(self, settings: Settings, crew: SharedCrew) -> None:
        self.at_work = crew.at_work
        self.start = crew.start
        self.make_ready = crew.make_ready
        self.check = crew.check
        self._foresight = Foresight(settings)

    def foresee(self, requests: Sequence[EditRequest]) -> Sequence[Outcome]:
        """Return the outcomes of the first rows that cannot be edited, so that no model is loaded for them."""
        return self._foresight(requests)


class LocalCrews:
    """Everything that one `Fleet` has started on this machine."""

    def __init__(self, workers: int | str) -> None:
        """`workers`: how many per model, or "auto" for one per visible GPU."""
        self._devices = devices(str(workers))
        self._lock = RLock()
        self._stack = ExitStack()
        self._redis: EmbeddedRedis | None = None
        self._crews: dict[str, SharedCrew] = {}

    @property
    def started_redis(self) -> EmbeddedRedis | None:
        """The Redis of its runs, where one was started."""
        return self._redis

    def redis(self, folder: Path) -> EmbeddedRedis:
        """Return the Redis of its runs; the first one starts it, and has its log.

        Raises:
            RunError: there is no server on this machine, or it does not start, or the folder cannot be written.

        """
        with self._lock:
            if self._redis is None:
                with folder_errors(folder):
                    folder.mkdir(parents=True, exist_ok=True)
                self._redis = self._stack.enter_context(running(folder))
            self._redis.check()
            return self._redis

    def crew(self, settings: Settings, folder: Path, say: Say) -> CrewOfRun:
        """Return workers for a run; the first run of its model, weights, task and profile has their logs."""
        with self._lock:
            key = _as_workers_see(settings)
            crew = self._crews.get(key)
            if crew is None or crew.has_failed:
                self._make_room()
                crew = self._crews[key] = SharedCrew(LocalWorkers(settings, folder, self._devices, say))
            return CrewOfRun(settings, crew)

    def _make_room(self) -> None:
        """Stop workers that no run needs: a GPU holds one model."""
        for key in [key for key, crew in self._crews.items() if crew.is_idle or crew.has_failed]:
            self._crews.pop(key).stop()

    def close(self) -> None:
        """Stop everything, the Redis last: what workers hold goes back there."""
        with self._lock:
            try:
                while self._crews:
                    self._crews.popitem()[1].stop()
            finally:
                self._redis = None
                self._stack.close()


def _as_workers_see(settings: Settings) -> str:
    """Return the settings that decide what a worker is, and none of those that each row or run brings along."""
    values: dict[str, Any] = settings.model_dump(mode="json", exclude={*RunSettings.model_fields})
    return repr(sorted({**values, "demand_profile": settings.demand_profile}.items()))
