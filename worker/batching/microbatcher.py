"""The one thread that drives the model: takes the next micro-batch, runs it, and ends where the model is broken."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Generic, TypeVar

from worker.batching.batch_runner import Batched, BatchRunner, Entry
from worker.batching.jobs import BatchKey
from worker.batching.policy import Run, Waiting, choose
from worker.contract.errors import GivenBack, ModelError, PassedOn, one_line

logger = logging.getLogger(__name__)

Job = TypeVar("Job")
Result = TypeVar("Result")


class MicroBatcher(Generic[Job, Result]):
    """Groups jobs by batch key and runs one micro-batch at a time on its own thread.

    `objections` tells, just before a batch begins, of each of its jobs why it must not be run, if so. Once the runner
    finds the model broken, every row is given back, and `on_broken` is called with the reason.
    """

    def __init__(
        self,
        runner: BatchRunner[Job, Result],
        *,
        on_broken: Callable[[ModelError], None],
        objections: Callable[[Sequence[Job]], Sequence[Exception | None]] = lambda jobs: [None] * len(jobs),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runner = runner
        self._on_broken = on_broken
        self._objections = objections
        self._clock = clock
        self._changed = threading.Condition()
        self._entries: list[Entry[Job, Result]] = []
        self._batches_taken = 0
        self._is_running = False
        #: Set once the worker is shutting down: whatever waits may end its wait.
        self.closing = threading.Event()
        self._thread = threading.Thread(target=self._drive, name="gpu", daemon=True)
        self._thread.start()

    def submit(self, key: BatchKey, job: Job) -> "Future[Batched[Result]]":
        """Queue a job. The future raises what the model raised for it, or GivenBack; it may be cancelled."""
        future: Future[Batched[Result]] = Future()
        with self._changed:
            if self.closing.is_set():
                future.set_exception(GivenBack())
                return future
            waiting = Waiting(key=key, since=self._clock(), arrived_at_batch=self._batches_taken)
            self._entries.append(Entry(waiting=waiting, job=job, future=future))
            self._changed.notify()
        return future

    def close(self) -> None:
        """Finish the batch on the GPU and give every other row back at once; returns without waiting."""
        with self._changed:
            self.closing.set()
            given_back, self._entries = self._entries, []
            self._changed.notify()
        _give_back(given_back, GivenBack)

    def pass_on(self, may_go: Callable[[Job], bool]) -> bool:
        """Give back those that wait behind a batch on the GPU; return whether there is one. Else they are the next."""
        with self._changed:
            if not self._is_running:
                return False
            going = [entry for entry in self._entries if may_go(entry.job)]
            self._entries = [entry for entry in self._entries if not may_go(entry.job)]
        _give_back(going, PassedOn)
        return True

    def _drive(self) -> None:
        while batch := self._next_batch():
            try:
                if wanted := self._without_objections(batch):
                    self._runner.run(wanted)
            except ModelError as error:
                self._end(batch, error)
            except Exception as error:  # without its thread a worker would hold its rows for ever
                logger.exception("the thread of the GPU failed")
                self._end(batch, ModelError(one_line(f"The GPU's thread failed ({type(error).__name__}: {error}).")))

    def _end(self, batch: Iterable[Entry[Job, Result]], error: ModelError) -> None:
        self.close()
        _give_back(batch, GivenBack)
        self._on_broken(error)

    def _without_objections(self, batch: list[Entry[Job, Result]]) -> list[Entry[Job, Result]]:
        wanted = []
        for entry, objection in zip(batch, self._objections([entry.job for entry in batch]), strict=True):
            if objection is None:
                wanted.append(entry)
            else:
                entry.future.set_exception(objection)
        return wanted

    def _next_batch(self) -> list[Entry[Job, Result]] | None:
        with self._changed:
            self._is_running = False
            while not self.closing.is_set():
                self._entries = [entry for entry in self._entries if not entry.future.cancelled()]
                decision = choose(
                    [entry.waiting for entry in self._entries],
                    now=self._clock(),
                    batches_taken=self._batches_taken,
                    policy=self._runner.policy,
                )
                if not isinstance(decision, Run):
                    self._changed.wait(decision.seconds)
                    continue
                self._batches_taken += 1
                # From the back, so that the places of the others still hold.
                batch = [self._entries.pop(place) for place in reversed(decision.rows)][::-1]
                # From here on a row can no longer be cancelled; one that was in this very moment stays behind.
                if batch := [entry for entry in batch if entry.future.set_running_or_notify_cancel()]:
                    self._is_running = True
                    return batch
        return None


def _give_back(entries: Iterable[Entry[Job, Result]], why: type[GivenBack]) -> None:
    for entry in entries:
        with suppress(InvalidStateError):  # cancelled, or answered already
            entry.future.set_exception(why())
