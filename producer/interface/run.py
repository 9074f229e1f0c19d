"""A run, as a program holds it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import RLock
from typing import Literal, Self

from producer.collecting.progress import Status
from producer.collecting.status import run_status
from producer.conducting.host import Say
from producer.conducting.summary import Summary
from producer.interface.arrivals import Arrivals
from producer.interface.conductor import Conductor
from producer.interface.reading import ResultReader
from producer.interface.results import Result
from producer.sending.cancel import cancel
from producer.sending.retry import Which
from worker.contract.errors import RunError, SettingsError

#: Makes what conducts a run, given where its news go.
Begin = Callable[[Arrivals], Conductor]


class Run:
    """A run of a `Fleet`: iterate over it for the results, in the order in which they come.

    It goes on in a thread of its own, whether anybody iterates or not. As a context manager it is stopped at the end
    of the block unless it is finished; what is done stays, and the same `Fleet.edit` goes on.
    """

    def __init__(
        self,
        folder: Path,
        begin: Begin,
        again: Callable[[Which], Begin],
        *,
        broker_url: str | None,
        say: Say,
    ) -> None:
        """For `Fleet` alone. `begin` conducts it, `again` sends some of its rows once more and then does."""
        self._folder = folder
        self._begin = begin
        self._again = again
        self._broker_url = broker_url
        self._say = say
        self._lock = RLock()
        self._conductor: Conductor | None = None
        self._arrivals = Arrivals()

    @property
    def run_dir(self) -> Path:
        """The run folder, with the pictures, the ledger and the output."""
        return self._folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self, *, agreed: bool = False) -> Self:
        """Have it go on, unless it does; iterating and waiting do so, too.

        `agreed`: wait until it is clear that it can begin.

        Raises:
            RunError: it cannot.

        """
        with self._lock:
            if self._conductor is None:
                self._conductor = self._begin(self._arrivals)
                self._conductor.start()
        if agreed:
            self._require_conductor().wait_until_agreed()
        return self

    def __iter__(self) -> Iterator[Result]:
        """Iterate over the results of all rows: those that are answered now as they come, earlier ones at the end.

        Raises:
            RunError: the run could not go on; results that are there come first.

        """
        self.start()
        return self._reader().as_they_come(self._ended)

    def in_order(self) -> Iterator[Result]:
        """Iterate over the results in the input's order, each once it and all before it are there.

        Raises:
            RunError: as above.

        """
        self.start()
        return self._reader().in_order(self._ended)

    def wait(self, timeout: float | None = None) -> Summary:
        """Wait until every row is answered and the output is written, at most `timeout` seconds; sum the run up.

        Raises:
            TimeoutError: it goes on; wait again.
            RunError: it could not go on, or was stopped or cancelled. Nothing is lost.

        """
        self.start()
        if not self._arrivals.wait(lambda: self._arrivals.ended, timeout):
            raise TimeoutError(f"The run {self._folder} goes on after {timeout:g} s; wait again.")
        return self._require_conductor().summary()

    @property
    def is_unheard(self) -> bool:
        """Whether it goes on here, or has, and nobody was told how it ended."""
        return self._conductor is not None and not self._conductor.is_heard

    @property
    def done(self) -> bool:
        """Whether it has ended here: every row answered, or stopped, or failed (`wait` says which)."""
        return self._conductor is not None and self._conductor.is_done

    def status(self) -> Status:
        """Return its counts, also where another process conducts it.

        Raises:
            RunError: the folder holds no run, or Redis cannot be asked.

        """
        conductor = self._conductor
        if conductor is not None and not conductor.is_done and conductor.status is not None:
            return conductor.status
        return run_status(self._folder, self._say, self._broker_url)

    def cancel(self) -> str:
        """Cancel it, whoever is at work on it, and return a sentence that says so: workers drop its rows.

        What is done stays; the same `Fleet.edit` takes it up again. Whoever waits for it gets RunCancelled.

        Raises:
            RunError: the folder holds no run, or Redis cannot be asked.

        """
        conductor = self._conductor
        if conductor is not None and not conductor.is_done and (said := conductor.cancel()) is not None:
            return said
        return cancel(self._folder, self._say, self._broker_url)

    def stop(self) -> None:
        """Conduct it no longer, and wait until that is so; whoever waits for it gets RunStopped.

        What was sent to workers elsewhere they edit all the same, and `Fleet.attach` collects it.
        """
        conductor = self._conductor
        if conductor is not None and not conductor.is_done:
            conductor.stop()

    def retry(self, which: Literal["failed", "unanswered", "all"] = "failed") -> Self:
        """Send rows once more, as they were: failed ones, those without an answer, or both; then iterate or wait anew.

        Raises:
            SettingsError: there are no such rows.
            RunError: it goes on, so that it must be waited for first; or the Fleet is closed.

        """
        if which not in [*Which]:
            raise SettingsError(f"which is one of {', '.join(Which)}; found {which!r:.40}.")
        with self._lock:
            if self._conductor is not None and not self._conductor.is_done:
                raise RunError(f"The run {self._folder} goes on; wait for it, or stop it, and retry then.")
            arrivals = Arrivals()
            conductor = self._again(Which(which))(arrivals)
            self._arrivals, self._conductor = arrivals, conductor
            conductor.start()
        return self

    def _reader(self) -> ResultReader:
        return ResultReader(self._folder, self._arrivals)

    def _ended(self) -> None:
        self._arrivals.wait(lambda: self._arrivals.ended)  # the output is written last
        self._require_conductor().summary()

    def _require_conductor(self) -> Conductor:
        if self._conductor is None:
            raise RuntimeError("not started")
        return self._conductor
