"""A worker's metrics, as Prometheus reads them: each of them, its buckets and its words."""

from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.process_collector import ProcessCollector

from worker.contract.messages import Outcome
from worker.contract.version import own_version
from worker.metrics.failures import FailureKind
from worker.metrics.observer import Observer, Ready

#: Seconds: from a small picture that is decoded to a batch that is about to count as hanging.
STAGE_SECONDS: Final = (
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0),
    *(300.0, 600.0, 1800.0),
)
#: Rows: each size that is common, and FLEET_BATCH_SIZE's largest.
BATCH_ROWS: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256)

#: Stages of a row's way, as outcomes name them.
STAGES: Final = ("decode", "wait", "model", "encode")
OUTCOMES: Final = ("done", "failed", "given-back", "unwanted")


class WorkerMetrics(Observer):
    """Counts what a worker does, in a registry of its own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make every metric; what has labels begins at 0, so that the first event is an increase."""
        ProcessCollector(registry=registry)
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry)
        who = "Who this worker is: its name, model, profile and version."
        self._info = Info("fleet_worker", who, registry=registry)
        self._ready = gauge("fleet_worker_ready", "1 once the model is ready, until the worker is told to stop.")
        self._load = gauge("fleet_worker_model_load_seconds", "Seconds of the start, by part.", ["part"])
        self._rows = counter("fleet_worker_rows", "Rows that left this worker, by how.", ["outcome"])
        self._images = counter("fleet_worker_images", "Images that were made and saved.")
        self._failures = counter("fleet_worker_failures", "Rows that failed, by kind of their error.", ["kind"])
        stages = "Seconds of a row in each stage; the model's are those of its whole micro-batch."
        self._seconds = histogram("fleet_worker_stage_seconds", stages, ["stage"], buckets=STAGE_SECONDS)
        self._batch = histogram("fleet_worker_batch_rows", "Rows in a micro-batch.", buckets=BATCH_ROWS)
        self._places = counter("fleet_worker_batch_places", "Rows that the micro-batches would have held if full.")
        self._broken = counter("fleet_worker_batches_failed", "Calls of the model that failed.")
        self._model_seconds = counter("fleet_worker_model_seconds", "Seconds that the model was at work on rows.")
        self._busy = gauge("fleet_worker_busy_ratio", "Share of the last minute that the model was at work on rows.")
        self._in_hand = gauge("fleet_worker_rows_in_hand", "Rows that this worker holds.")
        kinds = "The GPU's memory: allocated and reserved by this worker, free, total; none without a GPU."
        self._memory = gauge("fleet_worker_gpu_memory_bytes", kinds, ["kind"])
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        for outcome in OUTCOMES:
            self._rows.labels(outcome)
        for kind in FailureKind:
            self._failures.labels(kind)
        for stage in STAGES:
            self._seconds.labels(stage)

    def ready(self, ready: Ready) -> None:
        """Say who the worker is, and from now on how busy it is."""
        self._info.info(
            {
                "worker": ready.worker,
                "model": ready.model,
                "profile": ready.profile,
                "version": own_version(),
            }
        )
        for part, seconds in ready.seconds.items():
            self._load.labels(part).set(seconds)
        self._busy.set_function(ready.busy)
        self._in_hand.set_function(ready.rows_in_hand)
        for kind in ready.gpu_memory():
            self._memory.labels(kind).set_function(partial(_kind_of_memory, ready, kind))
        self._ready.set(1)

    def stopping(self) -> None:
        """Say that it is not ready any more."""
        self._ready.set(0)

    def batch(self, rows: int, limit: int, seconds: float) -> None:
        """Count a micro-batch."""
        self._batch.observe(rows)
        self._places.inc(max(rows, limit))
        self._model_seconds.inc(seconds)

    def batch_failed(self) -> None:
        """Count a call that failed."""
        self._broken.inc()

    def answered(self, outcome: Outcome, failure: FailureKind | None) -> None:
        """Count a row, its images and its seconds."""
        self._rows.labels(outcome.status).inc()
        self._images.inc(outcome.turns * len(outcome.paths))
        if failure is not None:
            self._failures.labels(failure).inc()
        for stage, seconds in outcome.seconds.items():
            self._seconds.labels(stage).observe(seconds)

    def given_back(self) -> None:
        """Count a row that goes back."""
        self._rows.labels("given-back").inc()

    def unwanted(self) -> None:
        """Count a row that was dropped."""
        self._rows.labels("unwanted").inc()


def _kind_of_memory(ready: Ready, kind: str) -> float:
    return ready.gpu_memory()[kind]
