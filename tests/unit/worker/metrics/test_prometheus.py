"""What a worker is told becomes the numbers that Prometheus reads."""

from itertools import pairwise

import pytest
from prometheus_client import CollectorRegistry

from tests.support.requests import make_request
from tests.support.scraping import named, samples_of
from worker.batching.batch_runner import Batched
from worker.contract.buckets import Bucket
from worker.contract.errors import RowError
from worker.contract.messages import Outcome
from worker.editing.record import RowRecord
from worker.metrics.endpoint import new_registry
from worker.metrics.failures import FailureKind
from worker.metrics.observer import Ready
from worker.metrics.prometheus import OUTCOMES, STAGE_SECONDS, STAGES, WorkerMetrics


@pytest.fixture
def registry() -> CollectorRegistry:
    """Make an empty registry."""
    return new_registry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> WorkerMetrics:
    """Make the metrics of a worker that has just begun."""
    return WorkerMetrics(registry)


def make_ready(**given: object) -> Ready:
    """Say that a model is ready."""
    usual = {
        "worker": "w0@host", "model": "demo", "profile": "exact", "seconds": {"weights": 2.5, "compile": 60.0},
        "busy": lambda: 0.75, "rows_in_hand": lambda: 12, "gpu_memory": dict,
    }  # fmt: skip
    return Ready(**{**usual, **given})  # type: ignore[arg-type]


def done(images: int) -> Outcome:
    """Return the outcome of a row that was edited."""
    record = RowRecord(make_request(num_images=images), worker="w0@host")
    record.decoded(["0" * 64], Bucket(256, 256))
    with record.stage("decode"):
        pass
    batched = Batched(result=None, batch_id="b", size=1, limit=4, waited=0.3, took=14.0)
    record.rode(batched, profile="exact", weights="w")
    with record.stage("encode"):
        pass
    return record.done()


def test_rows_images_and_seconds_are_counted(registry: CollectorRegistry, metrics: WorkerMetrics) -> None:
    """A row that is done counts itself, its images and the seconds of every stage."""
    metrics.answered(done(2), None)
    metrics.answered(done(1), None)
    found = samples_of(registry)
    assert found[named("fleet_worker_rows_total", outcome="done")] == 2
    assert found["fleet_worker_images_total"] == 3
    for stage in STAGES:
        assert found[named("fleet_worker_stage_seconds_count", stage=stage)] == 2
    assert found[named("fleet_worker_stage_seconds_sum", stage="model")] == 28
    assert found[named("fleet_worker_stage_seconds_bucket", stage="model", le="10.0")] == 0
    assert found[named("fleet_worker_stage_seconds_bucket", stage="model", le="15.0")] == 2


def test_a_failed_row_is_counted_by_its_kind(registry: CollectorRegistry, metrics: WorkerMetrics) -> None:
    """What a row failed of is told apart, and makes no image."""
    record = RowRecord(make_request(), worker="w0@host")
    outcome = record.failed(RowError("a.png: no such file"))
    metrics.answered(outcome, record.failure)
    found = samples_of(registry)
    assert found[named("fleet_worker_rows_total", outcome="failed")] == 1
    assert found["fleet_worker_images_total"] == 0
    kinds = {kind: found[named("fleet_worker_failures_total", kind=kind)] for kind in FailureKind}
    assert kinds == {**dict.fromkeys(FailureKind, 0), FailureKind.ROW: 1}


def test_rows_without_an_answer_are_no_failures(registry: CollectorRegistry, metrics: WorkerMetrics) -> None:
    """What goes back to the queue, or is wanted by nobody, leaves the worker by a name of its own."""
    metrics.given_back()
    metrics.unwanted()
    found = samples_of(registry)
    counts = [found[named("fleet_worker_rows_total", outcome=outcome)] for outcome in OUTCOMES]
    assert counts == [0, 0, 1, 1]


def test_batches_are_counted_with_the_places_that_they_left_free(
    registry: CollectorRegistry, metrics: WorkerMetrics
) -> None:
    """Rows over places is how full the batches were."""
    metrics.batch(rows=4, limit=4, seconds=10.0)
    metrics.batch(rows=1, limit=4, seconds=6.0)
    metrics.batch_failed()
    found = samples_of(registry)
    assert (found["fleet_worker_batch_rows_sum"], found["fleet_worker_batch_rows_count"]) == (5, 2)
    assert found["fleet_worker_batch_places_total"] == 8
    assert found["fleet_worker_model_seconds_total"] == 16
    assert found["fleet_worker_batches_failed_total"] == 1


def test_a_worker_is_ready_between_its_start_and_its_end(registry: CollectorRegistry, metrics: WorkerMetrics) -> None:
    """While it loads it answers, and says that it is not ready yet; what it then is stands beside it."""
    assert samples_of(registry)["fleet_worker_ready"] == 0
    metrics.ready(make_ready())
    found = samples_of(registry)
    assert found["fleet_worker_ready"] == 1
    assert found[named("fleet_worker_model_load_seconds", part="compile")] == 60
    (who,) = (sample for sample in found if sample.startswith("fleet_worker_info{"))
    assert all(text in who for text in ('model="demo"', 'profile="exact"', 'worker="w0@host"', 'version="'))
    metrics.stopping()
    assert samples_of(registry)["fleet_worker_ready"] == 0


def test_what_changes_by_itself_is_asked_for_at_each_look(registry: CollectorRegistry, metrics: WorkerMetrics) -> None:
    """The busy share, the rows in hand and the GPU's memory are those of the moment."""
    hand, memory = [3], {"free": 10, "total": 80}
    metrics.ready(make_ready(busy=lambda: 0.5, rows_in_hand=lambda: hand[0], gpu_memory=lambda: memory))
    before = samples_of(registry)
    hand[0], memory["free"] = 5, 4
    after = samples_of(registry)
    assert (before["fleet_worker_busy_ratio"], before["fleet_worker_rows_in_hand"]) == (0.5, 3)
    assert after["fleet_worker_rows_in_hand"] == 5
    free = named("fleet_worker_gpu_memory_bytes", kind="free")
    assert (before[free], after[free]) == (10, 4)


def test_without_a_gpu_there_is_no_memory_of_one(registry: CollectorRegistry, metrics: WorkerMetrics) -> None:
    """A worker on a CPU shows no series that would read as an empty GPU."""
    metrics.ready(make_ready())
    assert not [sample for sample in samples_of(registry) if sample.startswith("fleet_worker_gpu_memory_bytes")]


def test_the_buckets_of_seconds_fit() -> None:
    """From a hundredth of a second to a batch that counts as hanging, no step is more than threefold."""
    assert STAGE_SECONDS[0] <= 0.01
    assert STAGE_SECONDS[-1] == 1800
    assert all(one < other <= 3 * one for one, other in pairwise(STAGE_SECONDS))
