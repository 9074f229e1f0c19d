"""Running a micro-batch: what becomes of its rows where memory runs out, a row is bad, or the model is broken."""

import logging
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import uuid4

from worker.batching.busy import BusyMeter
from worker.batching.circuit_breaker import CircuitBreaker
from worker.batching.jobs import BatchKey
from worker.batching.policy import Policy, Waiting
from worker.contract.errors import OutOfMemory
from worker.metrics.observer import Observer

logger = logging.getLogger(__name__)
#: For whoever follows every row (`worker.logs.setup`).
row_by_row = logging.getLogger("worker.rows")

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True, slots=True)
class Batched(Generic[Result]):
    """One row's result, and the micro-batch in which it rode."""

    result: Result
    batch_id: str
    #: Rows in the batch, and rows that a full one would have held.
    size: int
    limit: int
    #: Seconds that the row waited for the batch, and that the batch took.
    waited: float
    took: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry(Generic[Job, Result]):
    """A row that waits for the GPU or is on it."""

    waiting: Waiting
    job: Job
    future: Future[Batched[Result]]


class BatchRunner(Generic[Job, Result]):
    """Runs micro-batches, one at a time.

    `call` gets a key, jobs of this key and the most images that fit into one call of the model, and returns one result
    per job, in order. `watched` guards each call against hanging, given what is in it.
    """

    def __init__(
        self,
        call: Callable[[BatchKey, Sequence[Job], int], Sequence[Result]],
        policy: Policy,
        *,
        breaker: CircuitBreaker,
        watched: Callable[[str], AbstractContextManager[object]] = nullcontext,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._call = call
        #: Replaced by one of smaller batches whenever memory runs out.
        self.policy = policy
        self._breaker = breaker
        self._watched = watched
        self._observer = observer or Observer()
        self._clock = clock
        self._meter = BusyMeter(clock=clock)

    @property
    def busy(self) -> float:
        """The share of the last minute spent in calls of the model on rows, from 0 to 1."""
        return self._meter.share()

    def run(self, batch: Sequence[Entry[Job, Result]]) -> None:
        """Run a batch of one key; resolve the futures of its rows.

        Raises:
            ModelError: the model is broken; rows without an answer keep their futures as they are.

        """
        failure = self._attempt(batch)
        if failure is None:
            self._breaker.succeeded()
            return
        images = failure.images if isinstance(failure, OutOfMemory) else 1
        if isinstance(failure, OutOfMemory):
            self.policy = self.policy.without(batch[0].waiting.key, images)
        if len(batch) > 1:
            # Memory may hold the halves, and one row's fault is in the end its own.
            logger.warning("a batch of %d rows failed (%s); trying its halves", len(batch), failure)
            middle = len(batch) // 2
            self.run(batch[:middle])
            self.run(batch[middle:])
        elif images > 1:
            self.run(batch)  # its images go into smaller calls now
        else:
            with self._watched("the built-in picture"):
                self._breaker.failed(failure, batch[0].waiting.key)
            batch[0].future.set_exception(failure)

    def _attempt(self, batch: Sequence[Entry[Job, Result]]) -> Exception | None:
        """Answer the rows, or return what the model raised."""
        key, batch_id, begun = batch[0].waiting.key, uuid4().hex[:12], self._clock()
        limit, rows = self.policy.limit(key), " ".join(str(entry.job) for entry in batch)
        row_by_row.info("micro-batch %s: %d of %d rows at %s: %s", batch_id, len(batch), limit, key.bucket, rows)
        try:
            with self._watched(rows), self._meter.computing():
                results = self._call(key, [entry.job for entry in batch], self.policy.images_of(key))
            answered = list(zip(batch, results, strict=True))
        except Exception as error:
            # What the failed call held, gigabytes on a GPU, would be held while the halves run.
            traceback.clear_frames(error.__traceback__)
            self._observer.batch_failed()
            return error
        took = self._clock() - begun
        self._tell(batch, batch_id, limit, took)
        for entry, result in answered:
            waited = begun - entry.waiting.since
            batched = Batched(result=result, batch_id=batch_id, size=len(batch), limit=limit, waited=waited, took=took)
            entry.future.set_result(batched)
        return None

    def _tell(self, batch: Sequence[Entry[Job, Result]], batch_id: str, limit: int, took: float) -> None:
        """Say in one line what was done."""
        bucket, busy, rows = batch[0].waiting.key.bucket, self.busy, [str(entry.job) for entry in batch]
        logger.info(
            "micro-batch %s: done in %.2f s, GPU busy %.0f %%: %d of %d rows of %s: %s",
            *(batch_id, took, 100 * busy, len(rows), limit, bucket, " ".join(rows)),
            extra={
                "event": "micro-batch",
                "batch": batch_id,
                "rows": rows,
                "limit": limit,
                "bucket": str(bucket),
                "seconds": round(took, 3),
                "busy": round(busy, 3),
            },
        )
        self._observer.batch(len(batch), limit, took)
