"""The same for asyncio: each call that waits does so in a thread of its own, and the event loop goes on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack

from producer.collecting.progress import Status
from producer.conducting.summary import Summary
from producer.interface.fleet import Fleet
from producer.interface.hosting import log
from producer.interface.inputs import Rows
from producer.interface.parameters import Parameters, RunParameters
from producer.interface.progress import Progress
from producer.interface.results import Result
from producer.interface.run import Run

Answer = TypeVar("Answer")


class AsyncRun:
    """A `Run` whose waits are awaited: `async for row in run`, `await run.wait()`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def run_dir(self) -> Path:
        """As `Run.run_dir`."""
        return self._run.run_dir

    @property
    def done(self) -> bool:
        """As `Run.done`."""
        return self._run.done

    def __aiter__(self) -> AsyncIterator[Result]:
        """As iterating over a `Run`."""
        return _asynchronous(lambda: iter(self._run))

    def in_order(self) -> AsyncIterator[Result]:
        """As `Run.in_order`."""
        return _asynchronous(self._run.in_order)

    async def wait(self, timeout: float | None = None) -> Summary:  # noqa: ASYNC109 - as Run has it
        """As `Run.wait`."""
        return await _in_a_thread(partial(self._run.wait, timeout))

    async def status(self) -> Status:
        """As `Run.status`."""
        return await _in_a_thread(self._run.status)

    async def cancel(self) -> str:
        """As `Run.cancel`."""
        return await _in_a_thread(self._run.cancel)

    async def stop(self) -> None:
        """As `Run.stop`."""
        await _in_a_thread(self._run.stop)

    async def retry(self, which: Literal["failed", "unanswered", "all"] = "failed") -> Self:
        """As `Run.retry`."""
        await _in_a_thread(partial(self._run.retry, which))
        return self


class AsyncFleet:
    """A `Fleet` whose waits are awaited. Use as `async with AsyncFleet(…) as fleet`."""

    def __init__(
        self,
        broker_url: str | None = None,
        *,
        workers: int | Literal["auto"] | None = None,
        progress: Progress = None,
        say: Callable[[str], None] = log,
        **parameters: Unpack[Parameters],
    ) -> None:
        """As `Fleet`."""
        self._fleet = Fleet(broker_url, workers=workers, progress=progress, say=say, **parameters)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await _in_a_thread(partial(self._fleet.__exit__, kind, error, traceback))

    async def edit(self, rows: Rows, *, run_dir: str | PathLike[str], **parameters: Unpack[RunParameters]) -> AsyncRun:
        """As `Fleet.edit`."""
        return AsyncRun(await _in_a_thread(partial(self._fleet.edit, rows, run_dir=run_dir, **parameters)))

    async def submit(
        self, rows: Rows, *, run_dir: str | PathLike[str], **parameters: Unpack[RunParameters]
    ) -> AsyncRun:
        """As `Fleet.submit`."""
        return AsyncRun(await _in_a_thread(partial(self._fleet.submit, rows, run_dir=run_dir, **parameters)))

    def attach(self, run_dir: str | PathLike[str], *, wait: bool = False) -> AsyncRun:
        """As `Fleet.attach`."""
        return AsyncRun(self._fleet.attach(run_dir, wait=wait))

    async def workers(self, seconds: float = 1.0) -> dict[str, dict[str, Any]]:
        """As `Fleet.workers`."""
        return await _in_a_thread(partial(self._fleet.workers, seconds))

    async def close(self) -> None:
        """As `Fleet.close`."""
        await _in_a_thread(self._fleet.close)


async def _asynchronous(begin: Callable[[], Iterator[Result]]) -> AsyncIterator[Result]:
    with _a_thread() as thread:
        results = await thread(begin)
        while (result := await thread(partial(next, results, None))) is not None:
            yield result


async def _in_a_thread(call: Callable[[], Answer]) -> Answer:
    with _a_thread() as thread:
        return await thread(call)


@contextmanager
def _a_thread() -> Iterator[Callable[[Callable[[], Answer]], Awaitable[Answer]]]:
    """Yield what has calls done in a thread that is theirs alone.

    Those of the event loop are few, and a run may be waited for until another call cancels it.
    """
    loop, threads = asyncio.get_running_loop(), ThreadPoolExecutor(1)
    try:
        yield partial(loop.run_in_executor, threads)
    finally:
        threads.shutdown(wait=False)
