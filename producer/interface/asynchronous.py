"""The same for asyncio: each call that waits does so in a thread, and the event loop goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, Unpack

from producer.collecting.progress import Status
from producer.conducting.summary import Summary
from producer.interface.fleet import Fleet
from producer.interface.hosting import log
from producer.interface.inputs import Rows
from producer.interface.parameters import Parameters
from producer.interface.progress import Progress
from producer.interface.results import Result
from producer.interface.run import Run


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
        return await asyncio.to_thread(self._run.wait, timeout)

    async def status(self) -> Status:
        """As `Run.status`."""
        return await asyncio.to_thread(self._run.status)

    async def cancel(self) -> str:
        """As `Run.cancel`."""
        return await asyncio.to_thread(self._run.cancel)

    async def stop(self) -> None:
        """As `Run.stop`."""
        await asyncio.to_thread(self._run.stop)

    async def retry(self, which: Literal["failed", "unanswered", "all"] = "failed") -> Self:
        """As `Run.retry`."""
        await asyncio.to_thread(self._run.retry, which)
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
        await asyncio.to_thread(self._fleet.__exit__, kind, error, traceback)

    async def edit(
        self,
        rows: Rows,
        *,
        run_dir: str | PathLike[str],
        numbers: Iterable[int] | None = None,
        redo: bool = False,
        max_failed: int | str | None = None,
        wait: bool = False,
        **parameters: Unpack[Parameters],
    ) -> AsyncRun:
        """As `Fleet.edit`."""

        def edit() -> Run:
            return self._fleet.edit(
                rows, run_dir=run_dir, numbers=numbers, redo=redo, max_failed=max_failed, wait=wait, **parameters
            )

        return AsyncRun(await asyncio.to_thread(edit))

    async def submit(
        self,
        rows: Rows,
        *,
        run_dir: str | PathLike[str],
        numbers: Iterable[int] | None = None,
        redo: bool = False,
        max_failed: int | str | None = None,
        wait: bool = False,
        **parameters: Unpack[Parameters],
    ) -> AsyncRun:
        """As `Fleet.submit`."""

        def submit() -> Run:
            return self._fleet.submit(
                rows, run_dir=run_dir, numbers=numbers, redo=redo, max_failed=max_failed, wait=wait, **parameters
            )

        return AsyncRun(await asyncio.to_thread(submit))

    def attach(self, run_dir: str | PathLike[str], *, wait: bool = False) -> AsyncRun:
        """As `Fleet.attach`."""
        return AsyncRun(self._fleet.attach(run_dir, wait=wait))

    async def workers(self, seconds: float = 1.0) -> dict[str, dict[str, Any]]:
        """As `Fleet.workers`."""
        return await asyncio.to_thread(self._fleet.workers, seconds)

    async def close(self) -> None:
        """As `Fleet.close`."""
        await asyncio.to_thread(self._fleet.close)


async def _asynchronous(begin: Callable[[], Iterator[Result]]) -> AsyncIterator[Result]:
    results = await asyncio.to_thread(begin)
    while (result := await asyncio.to_thread(next, results, None)) is not None:
        yield result
