"""Looking on, without a run's lock: its counts, its pace, why rows have failed, its queue, and its workers."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from producer.collecting.causes import Cause, causes
from producer.collecting.fleet import fleet_status, no_worker
from producer.collecting.in_redis import InRedis, Queue, look
from producer.collecting.pace import seconds_left
from producer.collecting.progress import Status, as_dicts, status_of
from producer.collecting.shares import Share
from producer.run import opening
from producer.run.failures import ledger_errors
from producer.run.ledger import Ledger
from producer.run.lock import owner_of
from producer.run.manifest import remembered
from worker.contract.broker_errors import BROKER_ERRORS
from worker.settings.fleet import Settings


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
    #: 0 to 9; None of a finished run, which needs none.
    priority: int | None = None
    #: How it shares workers with other runs; None where none of its rows waits.
    share: Share | None = None
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
            "priority": self.priority,
            "share": self.share and self.share.share,
            "runs_waiting": self.share and self.share.runs,
            "fleet": self.fleet,
        }


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
        found = look(ledger, settings, say, own=broker_url is None and bool(ledger.get("broker")))
        if found is None:
            return View(status=known, causes=causes(ledger), priority=settings.priority)
        if found.published is not None:
            known = replace(Status.read(found.published), **whose)
        known = replace(found.uncollected.added_to(known), cancelled=found.is_cancelled)
        made = ledger.calculations.all(ledger.tally(), found.uncollected.made)
        fleet = _fleet(settings) if asking else None
        return View(
            status=replace(_paced(known, found), calculations=as_dicts(made)),
            causes=causes(ledger, found.uncollected.failed),
            uncollected=found.uncollected.rows,
            owner=owner_of(folder) if found.is_collected else None,
            queue=found.queue,
            priority=settings.priority if found.share is None else found.share.priority,
            share=found.share,
            fleet=fleet,
            no_worker=None if fleet is None else no_worker(fleet, settings),
            now=found.now,
        )


def _fleet(settings: Settings) -> Mapping[str, Mapping[str, Any]] | None:
    # Asking writes, which a Redis may refuse that lets everybody read.
    with suppress(*BROKER_ERRORS):
        return fleet_status(settings)
    return None


def _paced(status: Status, found: InRedis) -> Status:
    """Add the rate: whoever collects has measured it, and else the outcomes tell that wait."""
    if found.is_collected and status.rows_per_s:
        return status
    return replace(status, busy=None, rows_per_s=found.uncollected.pace.per_second())
