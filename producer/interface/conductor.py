"""The thread that conducts a run, so that the program's own can iterate over its results meanwhile."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from producer.collecting.display import Display
from producer.collecting.progress import Status
from producer.conducting.host import Host, Show
from producer.conducting.summary import Summary
from producer.interface.arrivals import Arrivals
from producer.sending.plan import Plan
from worker.contract.errors import RunCancelled, RunError, RunStopped

#: Seconds after which whoever waits looks again, so that an interrupt reaches it on every platform.
_LOOK: Final = 0.5

#: What is done with a run: given its host, it returns what came of it.
Work = Callable[[Host], Summary]


class Conductor:
    """Does the work of a run, once it is started, until that is done, has failed, or is stopped."""

    def __init__(self, folder: Path, host: Host, work: Work, arrivals: Arrivals) -> None:
        self._folder = folder
        self._work = work
        self._arrivals = arrivals
        #: What ends it at its next look.
        self._ending: RunError | None = None
        self._agreed = threading.Event()
        self._error: BaseException | None = None
        self._summary: Summary | None = None
        #: Whether somebody knows how it ended.
        self.is_heard = False
        #: The newest counts; None before there are some.
        self.status: Status | None = None
        self._host = replace(
            host,
            watch=self._watched(host.watch),
            agree=self._agreeing(host.agree),
            answered=arrivals.answered,
            noted=self._noted,
            all_noted=arrivals.note_all,
            show=self._shown(host.show),
        )
        # A daemon: a program that ends without a word ends its runs like one that is killed, and nothing is lost.
        self._thread = threading.Thread(target=self._run, name=f"run {folder}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wait_until_agreed(self) -> None:
        """Wait until it is clear that the run can begin.

        Raises:
            RunError: it cannot, and nothing was changed.

        """
        while not self._agreed.wait(_LOOK):
            pass
        if self.is_done:
            self.summary()

    def stop(self) -> None:
        """End it soon, as Ctrl-C ends a command, and wait for that: what is finished stays."""
        self._end(RunStopped(f"The run {self._folder} was stopped; the same again goes on where it stopped."))

    def cancel(self) -> str | None:
        """Cancel the run, where this is at work on it; return a sentence that says so, and None where it was not."""
        cancelled = RunCancelled(f"The run {self._folder} is cancelled; the same again takes it up.")
        self._end(cancelled)
        return str(cancelled) if self._error is cancelled and self.status is not None else None

    def _end(self, error: RunError) -> None:
        self._ending = error
        self._thread.join()
        if self._error is error:  # whatever else has ended it, somebody is still to be told
            self.is_heard = True

    @property
    def is_done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self._arrivals.ended

    def summary(self) -> Summary:
        """Return what came of the work, once it has ended.

        Raises:
            RunError: it could not be done, or was stopped.

        """
        self.is_heard = True
        if self._error is not None:
            raise self._error
        if self._summary is None:
            raise RuntimeError("the run goes on")
        return self._summary

    def _run(self) -> None:
        try:
            self._summary = self._work(self._host)
        except BaseException as error:  # it is raised where the program waits
            self._error = error
        finally:
            self._arrivals.end()
            self._agreed.set()

    def _watched(self, watch: Callable[[], None]) -> Callable[[], None]:
        def watched() -> None:
            if self._ending is not None:
                raise self._ending
            watch()

        return watched

    def _agreeing(self, agree: Callable[[Plan], None]) -> Callable[[Plan], None]:
        def agreeing(plan: Plan) -> None:
            agree(plan)
            self.status = _expected(plan)
            self._agreed.set()

        return agreeing

    def _noted(self, rows: Iterable[int]) -> None:
        self._host.watch()
        self._arrivals.note(rows)

    def _shown(self, show: Show) -> Show:
        @contextmanager
        def seeing(*, passing: bool = False) -> Iterator[Display]:
            with show(passing=passing) as shown:
                yield _Seeing(shown, self._see)

        return seeing

    def _see(self, status: Status) -> None:
        self.status = status


def _expected(plan: Plan) -> Status:
    """Return the counts of a run that is about to begin."""
    left = plan.to_edit + plan.on_their_way
    return Status(
        total=plan.total,
        done=plan.finished,
        failed=0,
        kept=plan.kept,
        waiting=left,
        unsent=plan.to_edit,
        rows_per_s=0.0,
    )


class _Seeing:
    """Shows a run, and sees its counts."""

    def __init__(self, shown: Display, see: Callable[[Status], None]) -> None:
        self._see = see
        self._shown = shown
        self.stage = shown.stage
        self.paused = shown.paused

    def __call__(self, status: Status) -> None:
        self._see(status)
        self._shown(status)
