"""What one `Fleet` starts on this machine: a Redis, and workers that keep their model from run to run."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from threading import RLock
from typing import Any

from producer.conducting.host import Say
from producer.interface.shared_crew import SharedCrew
from producer.local.devices import devices
from producer.local.redis import EmbeddedRedis, running
from producer.local.workers import LocalWorkers
from producer.run.failures import folder_errors
from producer.sending.foresight import Foresight
from worker.contract.errors import RunError
from worker.contract.messages import EditRequest, Outcome
from worker.settings.fleet import Settings
from worker.settings.run import RunSettings


class CrewOfRun:
    """A run's part in workers that it shares."""

    def __init__(self, settings: Settings, crew: SharedCrew) -> None:
        self.start = crew.start
        self.make_ready = crew.make_ready
        self.check = crew.check
        self._foresight = Foresight(settings)

    def at_work(self) -> AbstractContextManager[object]:
        """Leave them up at the end: the next run needs no model loaded."""
        return nullcontext()

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
        self._is_closed = False

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
            self._require_open()
            if self._redis is None:
                with folder_errors(folder):
                    folder.mkdir(parents=True, exist_ok=True)
                self._redis = self._stack.enter_context(running(folder))
            self._redis.check()
            return self._redis

    @contextmanager
    def crew(self, settings: Settings, folder: Path, say: Say) -> Iterator[CrewOfRun]:
        """Yield workers for a run; the first run of its model, weights, task and profile has their logs.

        Raises:
            RunError: everything was stopped.

        """
        crew = self._taken(settings, folder, say)
        try:
            yield CrewOfRun(settings, crew)
        finally:
            with self._lock:
                crew.runs -= 1

    def _taken(self, settings: Settings, folder: Path, say: Say) -> SharedCrew:
        with self._lock:
            self._require_open()
            key = _as_workers_see(settings)
            crew = self._crews.get(key)
            if crew is None or crew.error is not None:
                self._make_room()
                crew = self._crews[key] = SharedCrew(LocalWorkers(settings, folder, self._devices, say))
            crew.runs += 1
            return crew

    def _make_room(self) -> None:
        """Stop workers that no run needs: a GPU holds one model."""
        for key in [key for key, crew in self._crews.items() if not crew.runs or crew.error is not None]:
            self._crews.pop(key).stop()

    def _require_open(self) -> None:
        if self._is_closed:
            raise RunError("This Fleet is closed; make another.")

    def close(self) -> None:
        """Stop everything for good, the Redis last: what workers hold goes back there."""
        with self._lock:
            self._is_closed = True
            try:
                while self._crews:
                    self._crews.popitem()[1].stop()
            finally:
                self._redis = None
                self._stack.close()


def _as_workers_see(settings: Settings) -> str:
    """Return the settings that decide what a worker is, and none of those that each row or run brings along."""
    values: dict[str, Any] = settings.model_dump(mode="json", exclude={*RunSettings.model_fields})
    # The model's own weights are the same whether they are named, as a run folder does, or not.
    values |= {"hf_model_name_or_path": settings.weights, "demand_profile": settings.demand_profile}
    return repr(sorted(values.items()))
