"""The one thread that drives the model: takes the next micro-batch, runs it, resolves each row's future."""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import uuid4

from worker.batching import BatchKey, Policy, Run, Waiting, choose

logger = logging.getLogger(__name__)

Job = TypeVar("Job")
Result = TypeVar("Result")


class GivenBack(Exception):  # noqa: N818 - no error: the row goes back to the queue, for another worker
    """The worker is shutting down and this row has not reached the model."""


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
class _Entry(Generic[Job, Result]):
    waiting: Waiting
    job: Job
    future: "Future[Batched[Result]]"


class MicroBatcher(Generic[Job, Result]):
    """Groups jobs by batch key and runs one micro-batch at a time on its own thread.

    `call` gets a key and jobs of this key and returns one result per job, in order.
    """

    def __init__(
        self,
        call: Callable[[BatchKey, Sequence[Job]], Sequence[Result]],
        policy: Policy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._call = call
        self._policy = policy
        self._clock = clock
        self._changed = threading.Condition()
        self._entries: list[_Entry[Job, Result]] = []
        self._batches_taken = 0
        self._closed = False
        self._thread = threading.Thread(target=self._drive, name="gpu", daemon=True)
        self._thread.start()

    def submit(self, key: BatchKey, job: Job) -> "Future[Batched[Result]]":
        """Queue a job. The future raises what the model raised for it, or GivenBack."""
        future: Future[Batched[Result]] = Future()
        with self._changed:
            if self._closed:
                future.set_exception(GivenBack())
                return future
            waiting = Waiting(key=key, since=self._clock(), arrived_at_batch=self._batches_taken)
            self._entries.append(_Entry(waiting=waiting, job=job, future=future))
            self._changed.notify()
        return future

    @property
    def closed(self) -> bool:
        """Whether the worker is shutting down."""
        return self._closed

    def close(self) -> None:
        """Finish the batch on the GPU and give every other row back at once; returns without waiting."""
        with self._changed:
            self._closed = True
            given_back, self._entries = self._entries, []
            self._changed.notify()
        for entry in given_back:
            entry.future.set_exception(GivenBack())

    def _drive(self) -> None:
        while batch := self._next_batch():
            self._run(batch)

    def _next_batch(self) -> list[_Entry[Job, Result]] | None:
        with self._changed:
            while not self._closed:
                decision = choose(
                    [entry.waiting for entry in self._entries],
                    now=self._clock(),
                    batches_taken=self._batches_taken,
                    policy=self._policy,
                )
                if isinstance(decision, Run):
                    self._batches_taken += 1
                    # From the back, so that the places of the others still hold.
                    return [self._entries.pop(place) for place in reversed(decision.rows)][::-1]
                self._changed.wait(decision.seconds)
        return None

    def _run(self, batch: list[_Entry[Job, Result]]) -> None:
        key, batch_id, begun = batch[0].waiting.key, uuid4().hex[:12], self._clock()
        logger.info("micro-batch %s: %d of %d rows at %s", batch_id, len(batch), self._policy.limit(key), key.bucket)
        failure: Exception | None = None
        try:
            answered = list(zip(batch, self._call(key, [entry.job for entry in batch]), strict=True))
        except Exception as error:
            # What the failed call held, gigabytes on a GPU, would be held while the halves run.
            traceback.clear_frames(error.__traceback__)
            failure = error
        if failure is not None:
            self._failed(batch, failure)
            return
        took = self._clock() - begun
        for entry, result in answered:
            entry.future.set_result(
                Batched(
                    result=result,
                    batch_id=batch_id,
                    size=len(batch),
                    limit=self._policy.limit(key),
                    waited=begun - entry.waiting.since,
                    took=took,
                )
            )

    def _failed(self, batch: list[_Entry[Job, Result]], error: Exception) -> None:
        """Try the halves: memory may hold them, and one row's fault is in the end its own."""
        if len(batch) == 1:
            batch[0].future.set_exception(error)
            return
        logger.warning("a batch of %d rows failed (%s); trying its halves", len(batch), error)
        middle = len(batch) // 2
        self._run(batch[:middle])
        self._run(batch[middle:])
