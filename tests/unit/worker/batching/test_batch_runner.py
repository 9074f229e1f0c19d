"""Running a micro-batch: memory that runs out, a row at fault, a model at fault."""

import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext

import pytest
import torch

from tests.support.policies import policy
from worker.batching.batch_runner import Batched, BatchRunner, Entry
from worker.batching.circuit_breaker import CircuitBreaker
from worker.batching.jobs import BatchKey
from worker.batching.policy import Waiting
from worker.contract.buckets import Bucket
from worker.contract.errors import ModelError, OutOfMemory
from worker.metrics.observer import Observer

SQUARE, WIDE = Bucket(256, 256), Bucket(304, 208)


def key(bucket: Bucket = SQUARE, num_images: int = 1) -> BatchKey:
    """Make a batch key."""
    return BatchKey(bucket=bucket, steps=8, guidance=3.5, true_cfg_scale=1.0, num_images=num_images)


def batch(rows: Sequence[str], of: BatchKey) -> list[Entry[str, str]]:
    """Make a batch of rows that wait."""
    return [Entry(waiting=Waiting(key=of, since=0), job=row, future=Future()) for row in rows]


class Memory:
    """A model that works through images in calls of at most `most`, and whose memory holds `fits` at a time."""

    def __init__(self, fits: int) -> None:
        self.fits = fits
        #: Images of each call.
        self.calls: list[int] = []

    def __call__(self, key: BatchKey, jobs: Sequence[str], most: int) -> list[str]:
        """Answer a batch."""
        images = len(jobs) * key.num_images
        for start in range(0, images, most):
            self.calls.append(min(most, images - start))
            if self.calls[-1] > self.fits:
                raise OutOfMemory(key.bucket, self.calls[-1])
        return [job.upper() for job in jobs]


def sound(_: BatchKey | None) -> None:
    """Prove a model that is sound."""


def runner(
    call: Callable[[BatchKey, Sequence[str], int], Sequence[str]],
    *,
    selftest: Callable[[BatchKey | None], None] = sound,
    limit: int = 3,
) -> BatchRunner[str, str]:
    """Make a runner with batches of eight images, whose model is sound unless a test says otherwise."""
    return BatchRunner(call, policy(8, max_wait=0), breaker=CircuitBreaker(selftest, limit))


@pytest.mark.parametrize(
    ("fits", "rows", "num_images", "calls", "then"),
    [
        # rows, images each, images per call until all are done; the next full batch begins with what fitted
        (8, 8, 1, [8], 8),
        (4, 8, 1, [8, 4, 4], 4),
        (3, 8, 1, [8, 4, 2, 2, 2, 2], 2),  # the halves of 8 are 4, made in calls of at most 2 from the second on
        (1, 4, 1, [4, 2, 1, 1, 1, 1], 1),
        (2, 1, 4, [4, 2, 2], 2),  # one row of four images: smaller calls
        (1, 1, 3, [3, 1, 1, 1], 1),
    ],
)
def test_memory_that_runs_out_makes_smaller_calls(
    fits: int, rows: int, num_images: int, calls: list[int], then: int
) -> None:
    """A batch that does not fit is done in halves, and what did not fit is not tried again."""
    model = Memory(fits)
    running, of = runner(model), key(num_images=num_images)
    entries = batch("abcdefgh"[:rows], of)
    running.run(entries)
    assert [entry.future.result(0).result for entry in entries] == list("ABCDEFGH"[:rows])
    assert model.calls == calls
    assert running.policy.images(SQUARE) == then
    assert running.policy.images(WIDE) == 8, "another resolution needs other memory"
    model.calls.clear()
    running.run(batch("abcdefgh"[: running.policy.limit(of)], of))
    assert max(model.calls) <= fits


def test_a_row_that_does_not_fit_alone_has_its_size_as_error() -> None:
    """Where not even one image fits, the row is an error that names the resolution, and its neighbour's is its own."""
    running = runner(Memory(fits=0))
    entries = batch("ab", key(WIDE))
    running.run(entries)
    for entry in entries:
        with pytest.raises(OutOfMemory, match=r"^the GPU has no memory for 1 image at 304x208; edit it at a smaller"):
            entry.future.result(0)


def test_many_rows_that_are_too_large_do_not_break_the_model() -> None:
    """Sizes that do not fit are their rows' fault, however many there are, as long as the built-in picture fits."""
    running = runner(Memory(fits=0), limit=1)
    running.run(batch("abcdefgh", key()))


def test_a_failed_call_holds_nothing_while_its_halves_run() -> None:
    """What a call that failed has made, on a GPU its memory, is gone before the next one begins."""
    alive: list[int] = []

    class Tensor:
        """What a call takes up."""

    held: weakref.WeakSet[Tensor] = weakref.WeakSet()

    def call(key: BatchKey, jobs: Sequence[str], most: int) -> list[str]:
        del key, most
        alive.append(len(held))
        tensor = Tensor()
        held.add(tensor)
        if len(jobs) > 1:
            raise MemoryError(f"no memory for {len(jobs)}")
        return list(jobs)

    entries = batch("abcd", key())
    runner(call).run(entries)
    assert [entry.future.result(0).result for entry in entries] == list("abcd")
    assert alive == [0] * 7  # four, two, one, one, two, one, one


def cannot(bad: str) -> Callable[[BatchKey, Sequence[str], int], list[str]]:
    """Make a model that cannot bear certain rows."""

    def call(key: BatchKey, jobs: Sequence[str], most: int) -> list[str]:
        del key, most
        if any(job in bad for job in jobs):
            raise ValueError("no such luck\nand more about it")
        return list(jobs)

    return call


def test_a_row_at_fault_is_judged_by_the_built_in_picture() -> None:
    """A row that fails alone is its own fault if the model still edits the built-in picture."""
    proofs: list[BatchKey | None] = []
    entries = batch("abcd", key())
    runner(cannot("c"), selftest=proofs.append).run(entries)
    assert [isinstance(entry.future.exception(0), ValueError) for entry in entries] == [False, False, True, False]
    assert proofs == [key()], "the model is proved as the row was edited"


def test_a_model_that_fails_on_the_built_in_picture_is_broken() -> None:
    """A process that a CUDA error has poisoned fails no row: the first one alone shows it."""

    def selftest(_: BatchKey | None) -> None:
        raise torch.AcceleratorError("CUDA error: device-side assert triggered\nFor debugging consider passing …")

    entries = batch("abcd", key())
    with pytest.raises(ModelError) as raised:
        runner(cannot("abcd"), selftest=selftest).run(entries)
    assert str(raised.value) == (
        "The model failed on a row (ValueError: no such luck), and then on the built-in picture, too"
        " (AcceleratorError: CUDA error: device-side assert triggered)."
    )
    assert not any(entry.future.done() for entry in entries)


def test_a_model_that_is_broken_at_one_resolution_is_broken() -> None:
    """Rows of another resolution that are edited in between do not hide it, and no row is failed."""

    def call(key: BatchKey, jobs: Sequence[str], most: int) -> list[str]:
        del most
        if key.bucket == WIDE:
            raise torch.AcceleratorError("CUDA error: no kernel image is available")
        return list(jobs)

    def selftest(like: BatchKey | None) -> None:
        if like is not None:
            call(like, ["the built-in picture"], 1)

    running = runner(call, selftest=selftest)
    running.run(batch("ab", key()))
    entries = batch("cd", key(WIDE))
    with pytest.raises(ModelError, match="no kernel image"):
        running.run(entries)
    assert not any(entry.future.done() for entry in entries)


def test_memory_that_is_gone_for_the_built_in_picture_breaks_the_model() -> None:
    """A GPU whose memory somebody else has taken fails no row either."""

    def selftest(like: BatchKey | None) -> None:
        assert like is None, "what does not fit at its own resolution says nothing of the model"
        raise OutOfMemory(SQUARE, 1)

    entries = batch("ab", key())
    with pytest.raises(ModelError, match=r"no memory for 1 image at 256x256"):
        runner(Memory(fits=0), selftest=selftest).run(entries)
    assert not any(entry.future.done() for entry in entries)


def test_rows_that_fail_one_after_the_other_break_the_model() -> None:
    """What the built-in picture cannot show is found by counting; a success in between starts the count anew."""
    running = runner(cannot("x"), limit=3)
    running.run(batch("xa", key()))
    running.run(batch("xx", key()))  # a was edited in between: these are the second and the third of new counting
    with pytest.raises(
        ModelError, match=r"^The model failed on 3 rows, one after the other \(ValueError: no such luck"
    ):
        running.run(batch("x", key()))


def test_every_call_is_watched() -> None:
    """The watchdog knows which rows are on the GPU, and also watches the built-in picture."""
    watched: list[str] = []

    def watch(what: str) -> AbstractContextManager[None]:
        watched.append(what)
        return nullcontext()

    breaker = CircuitBreaker(sound, limit=3)
    watching = BatchRunner(cannot("b"), policy(8, max_wait=0), breaker=breaker, watched=watch)
    watching.run(batch("ab", key()))
    assert watched == ["a b", "a", "b", "the built-in picture"]


def test_rows_know_their_batch() -> None:
    """A row's batch is the one in which it was edited in the end."""
    entries = batch("abcx", key())
    runner(cannot("x")).run(entries)
    rows: list[Batched[str]] = [entry.future.result(0) for entry in entries[:3]]
    assert [(row.size, row.limit) for row in rows] == [(2, 8), (2, 8), (1, 8)]
    assert rows[0].batch_id == rows[1].batch_id != rows[2].batch_id


def test_only_the_models_calls_on_rows_count_as_busy(caplog: pytest.LogCaptureFixture) -> None:
    """Half the time in the model is a busy share of a half, the built-in picture has no part in it; the log says it."""
    now = [0.0]

    def call(key: BatchKey, jobs: Sequence[str], most: int) -> list[str]:
        now[0] += 5
        return cannot("x")(key, jobs, most)

    def selftest(like: BatchKey | None) -> None:
        del like
        now[0] += 5

    running = BatchRunner(call, policy(8, max_wait=0), breaker=CircuitBreaker(selftest, limit=3), clock=lambda: now[0])
    assert running.busy == 0
    running.run(batch("x", key()))
    assert running.busy == 1 / 2
    now[0] += 5
    with caplog.at_level("INFO"):
        running.run(batch("a", key()))
    assert caplog.messages[-1].endswith(": done in 5.00 s, GPU busy 50 %: 1 of 8 rows of 256x256: a")


def test_whoever_observes_is_told_of_every_call() -> None:
    """A batch that fails, and then its halves: how many rows each edited, of how many, and for how long."""
    told: list[tuple[int, int, float]] = []
    failed: list[None] = []

    class Noting(Observer):
        """Notes what it is told."""

        def batch(self, rows: int, limit: int, seconds: float) -> None:
            """Note a batch."""
            told.append((rows, limit, seconds))

        def batch_failed(self) -> None:
            """Note a failure."""
            failed.append(None)

    model, now = Memory(fits=2), [0.0]

    def call(of: BatchKey, jobs: Sequence[str], most: int) -> list[str]:
        now[0] += 5
        return model(of, jobs, most)

    observed = BatchRunner(
        call, policy(4, max_wait=0), breaker=CircuitBreaker(sound, 3), observer=Noting(), clock=lambda: now[0]
    )
    observed.run(batch("abcd", key()))
    assert told == [(2, 2, 5.0), (2, 2, 5.0)]
    assert len(failed) == 1


def test_a_batch_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Beside its text it has fields of its own, for logs that are JSON; what follows every row is another logger's."""
    caplog.set_level("INFO")
    runner(Memory(fits=8)).run(batch("ab", key()))
    (record,) = (record for record in caplog.records if record.name != "worker.rows")
    assert record.getMessage().endswith("2 of 8 rows of 256x256: a b")
    fields = {name: getattr(record, name) for name in ("event", "rows", "limit", "bucket")}
    assert fields == {"event": "micro-batch", "rows": ["a", "b"], "limit": 8, "bucket": "256x256"}
