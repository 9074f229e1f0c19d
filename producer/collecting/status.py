"""Looking on, without a run's lock: its counts, its pace, why rows have failed, its queue, and its workers."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import redis

from producer.collecting.causes import Cause, Failure, causes
from producer.collecting.fleet import fleet_status, no_worker
from producer.collecting.pace import is_collected, pace_of, seconds_left
from producer.collecting.progress import Status, as_dicts, status_of
from producer.run import opening
from producer.run.failures import broker_errors, ledger_errors
from producer.run.ledger import Ledger
from producer.run.lock import owner_of
from producer.run.manifest import remembered
from producer.run.queues import RunQueue
from producer.run.retrying import REFUSALS, Retrying
from worker.contract.broker_errors import BROKER_ERRORS
from worker.contract.messages import Outcome
from worker.contract.outcomes import Entry, OutcomeStream, open_redis
from worker.contract.revocations import Revocations
from worker.settings.fleet import Settings


class Queue(NamedTuple):
    """What is in Redis of a run's rows."""

    name: str
    #: Rows that wait.
    rows: int
    #: Rows that workers hold.
    in_hand: int


@dataclass(frozen=True, kw_only=True)
class View:
    """What is shown of a run."""

    status: Status
    causes: list[Cause]
    #: Rows that were answered, and are not in the ledger yet.
    uncollected: int = 0
    #: Which command is at work on it; None if nobody is.
    owner: str | None = None
    #: None where no row is to come, or its Redis has ended with its `producer run`.
    queue: Queue | None = None
    #: What workers that are up tell, by their names; None where they were not asked, or the broker let nobody ask.
    fleet: Mapping[str, Mapping[str, Any]] | None = None
    #: What is said where none of them takes the run's rows.
    no_worker: str | None = None
    #: Seconds by Redis' clock.
    now: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at this rate; None where nothing moves."""
        return seconds_left(self.status.unanswered, self.status.rows_per_s)

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON."""
        return {
            **self.status.as_dict(),
            "uncollected": self.uncollected,
            "owner": self.owner,
            "seconds_left": self.seconds_left,
            "causes": [{**cause._asdict(), "example": cause.example._asdict()} for cause in self.causes],
            "queue": self.queue and self.queue._asdict(),
            "fleet": self.fleet,
        }


@dataclass(frozen=True, kw_only=True)
class _InRedis:
    """What Redis has of a run, beyond its ledger."""

    published: str | None
    is_collected: bool
    is_cancelled: bool
    entries: list[Entry] = field(default_factory=list)
    queue: Queue
    now: float


def run_status(folder: Path, say: Callable[[str], None], broker_url: str | None = None) -> Status:
    """Return a run's counts: what its last collector published, and the outcomes that wait for the next.

    Raises:
        RunError: the folder holds no run, or Redis cannot be asked.

    """
    return view(folder, say, broker_url, asking=False).status


def view(folder: Path, say: Callable[[str], None], broker_url: str | None = None, *, asking: bool = True) -> View:
    """Look at a run; `asking`: whether its workers are asked, which takes a second.

    Raises:
        RunError: the folder holds no run, or Redis cannot be asked.

    """
    opening.require(folder)
    with ledger_errors(folder), Ledger(folder, read_only=True) as ledger:
        _, settings = remembered(folder, ledger, broker_url=broker_url)
        whose: dict[str, Any] = {"run": ledger.run, "folder": str(folder.absolute()), "model": settings.model}
        known = replace(status_of(ledger, 0.0), **whose)
        if not known.waiting:  # a finished run needs no Redis
            return View(status=known, causes=causes(ledger))
        found = _found(ledger, settings, say, own=broker_url is None and bool(ledger.get("broker")))
        if found is None:
            return View(status=known, causes=causes(ledger))
        # By row: a row that was delivered twice is one row.
        outcomes = [entry.outcome for entry in found.entries if entry.outcome is not None]
        news = [*{outcome.row: outcome for outcome in outcomes if ledger.awaited(outcome)}.values()]
        if found.published is not None:
            known = replace(Status.read(found.published), **whose)
        known = _with(known, news, found)
        made = ledger.calculations.all(ledger.tally(), news)
        failed = [Failure(outcome.row, outcome.error or "") for outcome in news if outcome.status == "failed"]
        fleet = _fleet(settings) if asking else None
        return View(
            status=replace(_paced(known, found), calculations=as_dicts(made)),
            causes=causes(ledger, failed),
            uncollected=len(news),
            owner=owner_of(folder) if found.is_collected else None,
            queue=found.queue,
            fleet=fleet,
            no_worker=None if fleet is None else no_worker(fleet, settings),
            now=found.now,
        )


def _found(ledger: Ledger, settings: Settings, say: Callable[[str], None], *, own: bool) -> _InRedis | None:
    """Ask Redis; None where it was the run's `own`, and has ended with it."""
    retrying = Retrying(settings, say, bears=REFUSALS)
    with broker_errors(settings, looking=True):
        try:
            return retrying(lambda: _in_redis(ledger.run, settings))
        except redis.ConnectionError:
            if own:
                return None
            raise


def _in_redis(run: str, settings: Settings) -> _InRedis:
    with open_redis(settings.broker) as client:
        stream, queue = OutcomeStream(client, run), RunQueue(client, settings.queue, run)
        return _InRedis(
            published=stream.status(),
            is_collected=is_collected(stream.quiet_for()),
            is_cancelled=Revocations(client, run).cancelled,
            entries=[*stream.unread()],
            queue=Queue(queue.name, len(queue), queue.held()),
            now=stream.now(),
        )


def _fleet(settings: Settings) -> Mapping[str, Mapping[str, Any]] | None:
    # Asking writes, which a Redis may refuse that lets everybody read.
    with suppress(*BROKER_ERRORS):
        return fleet_status(settings)
    return None


def _paced(status: Status, found: _InRedis) -> Status:
    """Add the rate: whoever collects has measured it, and else the outcomes tell that wait."""
    if found.is_collected and status.rows_per_s:
        return status
    return replace(status, busy=None, rows_per_s=pace_of([entry.at for entry in found.entries], found.now))


def _with(status: Status, outcomes: Sequence[Outcome], found: _InRedis) -> Status:
    """Add what no collector has committed yet."""
    workers = Counter(status.workers) + Counter(outcome.worker for outcome in outcomes)
    warnings = Counter(status.warnings) + Counter(kind.value for outcome in outcomes for kind in outcome.warnings)
    done = sum(outcome.status == "done" for outcome in outcomes)
    answered_at = {entry.outcome.worker: entry.at for entry in found.entries if entry.outcome is not None}
    return replace(
        status,
        done=status.done + done,
        failed=status.failed + len(outcomes) - done,
        waiting=max(0, status.waiting - len(outcomes)),
        workers=dict(workers),
        warnings=dict(warnings),
        answered_at={**status.answered_at, **answered_at},
        cancelled=found.is_cancelled,
    )
