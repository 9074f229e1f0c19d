"""The way into the fleet for programs: edit rows here or on workers elsewhere."""

from collections.abc import Callable
from contextlib import ExitStack
from os import PathLike
from types import TracebackType
from typing import Any, Literal, Self, Unpack

from producer.collecting.fleet import fleet_status
from producer.interface.arrivals import Arrivals
from producer.interface.asking import Asked, asked
from producer.interface.conductor import Conductor, Work
from producer.interface.hosting import host, log
from producer.interface.inputs import Rows, taken_rows
from producer.interface.parameters import OF_WORKERS, Parameters, RunParameters, settings_of
from producer.interface.progress import Progress
from producer.interface.run import Begin, Run
from producer.interface.works import Works
from producer.run.opening import require
from producer.run.preconditions import require_broker
from producer.sending.retry import Which
from worker.contract.errors import RunError, SettingsError


class Fleet:
    """Edits rows: with workers of its own on this machine, or with a fleet elsewhere, at a broker's URL.

    A context manager: at the end of the block it waits for the runs that it has begun, or stops them where an exception
    or an interrupt has ended the block, and stops the workers and the Redis that it has started. They also end with the
    process, however that ends. It may have several runs at once, and workers keep their model from run to run.
    """

    def __init__(
        self,
        broker_url: str | None = None,
        *,
        workers: int | Literal["auto"] | None = None,
        progress: Progress = None,
        say: Callable[[str], None] = log,
        **parameters: Unpack[Parameters],
    ) -> None:
        """Begin nothing yet.

        `broker_url`: Redis of a fleet whose workers somebody else starts (unset: FLEET_BROKER_URL, or else everything
        on this machine). `workers`: how many to start here (unset: one per visible GPU, or none beside a fleet).
        `progress`: "rich", "tqdm", or a function that is given a `Status`. `say` is given sentences for people; unset,
        they go into the log "producer". `parameters`: those of all its runs.

        Raises:
            SettingsError: a parameter is wrong.

        """
        settings = settings_of(parameters, run_dir=None, broker_url=broker_url)
        if workers is not None and workers != "auto" and (type(workers) is not int or workers < 1):
            raise SettingsError(f'workers is a positive number or "auto"; found {workers!r:.40}.')
        host("Fleet", say=say, progress=progress)  # raises what is wrong now, and not at the first run
        self._works = Works(settings.broker_url, workers, say)
        self._parameters = parameters
        self._progress: Progress = progress
        self._say = say
        self._runs: list[Run] = []
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for run in [*self._runs]:
                    if run.is_unheard:
                        run.wait()
        finally:
            self.close()

    def edit(self, rows: Rows, *, run_dir: str | PathLike[str], **parameters: Unpack[RunParameters]) -> Run:
        """Edit rows, and return once they can begin; what the run folder has finished is not edited again.

        `rows`: any iterable of mappings, a table (pandas, polars, pyarrow, `datasets`), or a file's path.

        Raises:
            SettingsError: a parameter is wrong.
            RowsError: what was given are no rows.
            RunInUse: another process has the folder.
            RunError: the file cannot be read, the folder not be written, or finished rows would be edited again. What
                comes up later, iterating and waiting raise.

        """
        what = self._asked("edit", run_dir, parameters)
        with ExitStack() as stack:
            source = stack.enter_context(taken_rows(rows, what.folder, what.settings, what.numbers))
            kept = stack.pop_all()
        work = self._works.editing(source, what.folder, what.settings, kept)
        return self._run(what, work).start(agreed=True)

    def submit(self, rows: Rows, *, run_dir: str | PathLike[str], **parameters: Unpack[RunParameters]) -> Run:
        """Send rows to a fleet elsewhere, and return once all are sent; see `edit`. Iterating or waiting collects.

        Raises:
            RunError: there is no fleet elsewhere, or it cannot be reached.
            SettingsError, RowsError: as `edit`.

        """
        what = self._asked("submit", run_dir, parameters)
        if what.settings.broker_url is None:
            raise RunError("Only a fleet elsewhere takes rows that nobody waits for; name its broker_url, or use edit.")
        require_broker(what.settings, self._say)
        with taken_rows(rows, what.folder, what.settings, what.numbers) as source:
            self._works.send(source, what.folder, what.settings, what.host)
        return self.attach(run_dir)

    def attach(self, run_dir: str | PathLike[str], *, wait: bool = False) -> Run:
        """Return a run that was begun before, by whatever process; it goes on once somebody iterates or waits.

        `wait`: as in `edit`.

        Raises:
            RunError: the folder holds no run.

        """
        what = self._asked("attach", run_dir, RunParameters(wait=wait))
        require(what.folder)
        return self._run(what, self._works.collecting(what.folder))

    def workers(self, seconds: float = 1.0) -> dict[str, dict[str, Any]]:
        """Return what the workers that are up tell of themselves, by their names; `seconds` is how long they may take.

        Raises:
            RunError: the broker cannot be reached.

        """
        self._require_open()
        given = settings_of(self._parameters, run_dir=None, broker_url=self._works.broker_url)
        if (settings := self._works.broker_of(given)) is None:
            return {}
        require_broker(settings, self._say, writing=False)
        return fleet_status(settings, seconds)

    def close(self) -> None:
        """Stop every run and everything that was started; what is finished stays. Again does nothing."""
        self._is_closed = True
        try:
            for run in [*self._runs]:
                run.stop()
        finally:
            self._works.close()

    def _asked(self, call: str, run_dir: str | PathLike[str], given: RunParameters) -> Asked:
        self._require_open()
        parameters = RunParameters(**{**self._parameters, **given})
        return asked(
            f"Fleet.{call}",
            run_dir,
            parameters,
            broker_url=self._works.broker_url,
            say=self._say,
            progress=self._progress,
        )

    def _run(self, what: Asked, work: Work) -> Run:
        def begin(arrivals: Arrivals) -> Conductor:
            self._require_open()
            return Conductor(what.folder, what.host, work, arrivals)

        def again(which: Which) -> Begin:
            of_workers = {name: getattr(what.settings, name) for name in OF_WORKERS}

            def begin_again(arrivals: Arrivals) -> Conductor:
                self._require_open()
                self._track(run)
                return Conductor(what.folder, what.host, self._works.retrying(what.folder, which, of_workers), arrivals)

            return begin_again

        run = Run(what.folder, begin, again, broker_url=self._works.broker_url, say=self._say)
        self._track(run)
        return run

    def _track(self, run: Run) -> None:
        """Remember a run, to be waited for or stopped at the end; those that have ended, and were heard of, no more."""
        others = [other for other in self._runs if other is not run and (other.is_unheard or not other.done)]
        self._runs = [*others, run]

    def _require_open(self) -> None:
        if self._is_closed:
            raise RunError("This Fleet is closed; make another.")
