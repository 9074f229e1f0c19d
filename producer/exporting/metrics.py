"""What the exporter tells Prometheus: each metric, and where its numbers come from at each look."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

import redis
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from producer.exporting.watching import Look, WatchedRun
from producer.run.folders import run_folders
from producer.run.queue_length import queue_length
from producer.run.queues import in_hand_of_all, waiting_in
from worker.contract.broker_errors import BROKER_ERRORS
from worker.contract.errors import FleetError
from worker.contract.outcomes import open_redis
from worker.settings.fleet import Settings

_RUN: Final = ("run", "folder")

#: Each metric's labels and words.
METRICS: Final = {
    "fleet_broker_up": ((), "1 where the broker answers; none where no broker was named."),
    "fleet_broker_rows_in_hand": ((), "Rows that workers hold, of every model."),
    "fleet_queue_rows": (("queue", "model"), "Rows that wait for a model's workers, of every run."),
    "fleet_run_readable": (("folder",), "1 where the folder's run can be read."),
    "fleet_run_rows": ((*_RUN, "state"), "Rows by state: waiting, uncollected, done, failed, kept."),
    "fleet_run_queue_rows": (_RUN, "Rows that wait in the run's own queue."),
    "fleet_run_rows_per_second": (_RUN, "Rows answered per second over the last five minutes."),
    "fleet_run_seconds_left": (_RUN, "Seconds until the last row is answered at this rate; none while nothing moves."),
    "fleet_run_cancelled": (_RUN, "1 where the run was cancelled and not taken up again."),
    "fleet_model_rows": (("model",), "Rows that wait in all queues of a model: what more workers would take."),
}


class _Queue(NamedTuple):
    broker: str
    name: str
    model: str


class FleetCollector(Collector):
    """Looks at the broker and at every run whenever Prometheus asks."""

    def __init__(
        self,
        settings: Settings,
        folders: Sequence[Path],
        *,
        broker_url: str | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`broker_url`: where runs are looked for, if not where each of them says."""
        self._clock = clock
        self._settings = settings
        self._named = folders
        self._broker_url = broker_url
        self._watched: dict[Path, WatchedRun] = {}
        # Two who ask at a time must not measure the same run's pace twice.
        self._lock = Lock()

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name every metric without a look at anything."""
        yield from _families().values()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Look, and yield every metric."""
        with self._lock:
            families = _families()
            looks = self._look(families)
            self._ask_brokers(families, looks)
        yield from families.values()

    def _look(self, families: dict[str, Any]) -> list[Look]:
        looks: dict[str, Look] = {}
        folders = run_folders(self._named)
        self._watched = {folder: self._watched.get(folder) or self._watch(folder) for folder in folders}
        for folder, watched in self._watched.items():
            try:
                look = watched.look()
            except (FleetError, OSError):
                families["fleet_run_readable"].add_metric([str(folder)], 0)
                continue
            families["fleet_run_readable"].add_metric([str(folder)], 1)
            if look.run not in looks:  # a folder that is reached by two ways
                looks[look.run] = look
                _tell(families, look, str(folder))
        return [*looks.values()]

    def _watch(self, folder: Path) -> WatchedRun:
        return WatchedRun(folder=folder, broker_url=self._broker_url, clock=self._clock)

    def _ask_brokers(self, families: dict[str, Any], looks: Sequence[Look]) -> None:
        waiting: Counter[tuple[str, str]] = Counter()
        queues = self._queues(looks)
        for queue in queues:
            if (rows := _asked(queue.broker, partial(waiting_in, lane=queue.name))) is not None:
                waiting[queue.name, queue.model] += rows
        self._sum_by_model(families, {(queue.broker, queue.model) for queue in queues})
        for (name, model), rows in waiting.items():
            families["fleet_queue_rows"].add_metric([name, model], rows)
        if self._own_broker:
            in_hand = _asked(self._settings.broker, in_hand_of_all)
            families["fleet_broker_up"].add_metric([], in_hand is not None)
            if in_hand is not None:
                families["fleet_broker_rows_in_hand"].add_metric([], in_hand)

    def _sum_by_model(self, families: dict[str, Any], models: set[tuple[str, str]]) -> None:
        waiting: Counter[str] = Counter()
        for broker, model in models:
            if (rows := _asked(broker, partial(queue_length, model=model))) is not None:
                waiting[model] += rows
        for model, rows in waiting.items():
            families["fleet_model_rows"].add_metric([model], rows)

    @property
    def _own_broker(self) -> bool:
        """Whether there is a broker apart from those of runs that have one each."""
        return self._settings.broker_url is not None or not self._named

    def _queues(self, looks: Sequence[Look]) -> set[_Queue]:
        asked = [look.settings for look in looks if look.rows["waiting"]]
        asked += [self._settings] if self._own_broker else []
        return {_Queue(settings.broker, settings.queue, settings.model) for settings in asked}


def _families() -> dict[str, Any]:
    return {name: GaugeMetricFamily(name, words, labels=labels) for name, (labels, words) in METRICS.items()}


def _tell(families: dict[str, Any], look: Look, folder: str) -> None:
    whose = [look.run, folder]
    for state, rows in look.rows.items():
        families["fleet_run_rows"].add_metric([*whose, state], rows)
    families["fleet_run_queue_rows"].add_metric(whose, look.queued)
    families["fleet_run_rows_per_second"].add_metric(whose, look.rows_per_s)
    families["fleet_run_cancelled"].add_metric(whose, look.cancelled)
    if look.seconds_left is not None:
        families["fleet_run_seconds_left"].add_metric(whose, look.seconds_left)


def _asked(broker: str, ask: Callable[[redis.Redis], int]) -> int | None:
    """Ask a broker; None where it does not answer, which is not waited for."""
    try:
        with open_redis(broker, patience=None, timeout=2.0) as client:
            return ask(client)
    except BROKER_ERRORS:
        return None
