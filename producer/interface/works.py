"""What a `Fleet` can do with a run folder, each from its lock to its output, for a thread that conducts it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from producer.collecting.progress import Status
from producer.conducting import flows
from producer.conducting.crew import Crew, FleetElsewhere
from producer.conducting.host import Host, Say
from producer.conducting.summary import Summary, concluded
from producer.interface.conductor import Work
from producer.interface.crews import LocalCrews
from producer.local.demand import as_demanded
from producer.rows.source import Source
from producer.run import opening
from producer.run.failures import broker_errors
from producer.run.open_run import Run
from producer.run.preconditions import changed_rows, require_broker
from producer.sending.cancel import withdraw
from producer.sending.retry import Which
from worker.contract.errors import RunCancelled
from worker.settings.fleet import Settings


class Works:
    """Where the runs of one `Fleet` have their Redis and their workers."""

    def __init__(self, broker_url: str | None, workers: int | Literal["auto"] | None, say: Say) -> None:
        """`broker_url`: None for a Redis of its own. `workers`: None for one per GPU, or beside a broker none."""
        self.broker_url = broker_url
        self._say = say
        is_local = broker_url is None or workers is not None
        self._crews = LocalCrews("auto" if workers is None else workers) if is_local else None

    def editing(self, source: Source, folder: Path, settings: Settings, kept: ExitStack) -> Work:
        """Return what edits the rows of an input, and closes `kept` when it has ended."""
        if self._crews is not None:
            as_demanded(settings)  # raises at once

        def work(host: Host) -> Summary:
            with (
                kept,
                self._equipped(folder, settings, host) as (equipped, asked),
                broker_errors(equipped),
                _created(source, folder, equipped, asked) as run,
                _withdrawn(run),
                self._crew(run, asked) as crew,
            ):
                return _complete(run, flows.edit(run, asked, crew))

        return work

    def send(self, source: Source, folder: Path, settings: Settings, host: Host) -> int:
        """Send the rows of an input to workers elsewhere, and return how many were.

        Raises:
            RunError: the run cannot go on; nothing is lost.

        """
        with broker_errors(settings), _created(source, folder, settings, host) as run:
            return flows.send(run, host)

    def collecting(self, folder: Path) -> Work:
        """Return what collects the answers of a run that was begun before."""

        def work(host: Host) -> Summary:
            with (
                self._reopened(folder, host, self.broker_url) as run,
                broker_errors(run.settings),
                _withdrawn(run),
                self._crew(run, host) as crew,
            ):
                return _complete(run, flows.collect(run, host, crew))

        return work

    def retrying(self, folder: Path, which: Which, of_workers: Mapping[str, Any]) -> Work:
        """Return what sends rows of a run again, and collects its answers.

        `of_workers`: settings of workers, which a run folder does not remember.
        """

        def work(host: Host) -> Summary:
            url, asked = self.broker_url, host
            if url is None and self._crews is not None:
                redis = self._crews.redis(folder)
                url, asked = redis.url, _watching(host, redis.check)
            with (
                self._reopened(folder, asked, url, **of_workers) as run,
                broker_errors(run.settings),
                _withdrawn(run),
                self._crew(run, asked) as crew,
            ):
                require_broker(run.settings, asked.say, watch=asked.watch)
                return _complete(run, flows.retry_and_follow(run, asked, crew, which))

        return work

    def broker_of(self, settings: Settings) -> Settings | None:
        """Return settings with the broker of its runs; None where it has not started one yet."""
        if self.broker_url is None and self._crews is not None:
            redis = self._crews.started_redis
            return None if redis is None else settings.model_copy(update={"broker_url": redis.url})
        return settings

    def close(self) -> None:
        """Stop what was started."""
        if self._crews is not None:
            self._crews.close()

    @contextmanager
    def _equipped(self, folder: Path, settings: Settings, host: Host) -> Iterator[tuple[Settings, Host]]:
        """Yield settings with a broker that can be worked with, and a host that notices when ours has ended."""
        if self.broker_url is None and self._crews is not None:
            redis = self._crews.redis(folder)
            yield settings.model_copy(update={"broker_url": redis.url}), _watching(host, redis.check)
            return
        require_broker(settings, host.say, watch=host.watch)
        yield settings, host

    def _crew(self, run: Run, host: Host) -> AbstractContextManager[Crew]:
        """Return who edits a run's rows: workers of ours, where they have the run's Redis, or those elsewhere."""
        own = None if self._crews is None else self._crews.started_redis
        ours = self.broker_url or (own and own.url)
        if self._crews is None or run.settings.broker_url != ours:
            return nullcontext(FleetElsewhere(run.settings, host.say))
        return self._crews.crew(as_demanded(run.settings), run.folder, host.say)

    @staticmethod
    def _reopened(folder: Path, host: Host, broker_url: str | None, **instead: Any) -> AbstractContextManager[Run]:
        return opening.reopen(
            folder,
            host.name,
            broker_url=broker_url,
            say=host.say,
            watch=host.watch,
            waits=host.waits,
            **instead,
        )


@contextmanager
def _withdrawn(run: Run) -> Iterator[None]:
    """Have nobody work on a run any more that the program has cancelled meanwhile."""
    try:
        yield
    except RunCancelled:
        withdraw(run.settings, run.ledger.run)  # also what was sent since it looked whether the run is wanted
        raise


def _created(source: Source, folder: Path, settings: Settings, host: Host) -> AbstractContextManager[Run]:
    return opening.create(source, folder, settings, host.name, say=host.say, watch=host.watch, waits=host.waits)


def _complete(run: Run, status: Status) -> Summary:
    """Write a run's output, and sum it up.

    Raises:
        RunError: rows are unanswered: they were changed since they were sent.

    """
    summary = concluded(run, status)
    if summary.unanswered:
        raise changed_rows(run, summary.unanswered)
    return summary


def _watching(host: Host, watch: Callable[[], None]) -> Host:
    def both() -> None:
        host.watch()
        watch()

    return replace(host, watch=both)
