"""Runs, one a line: those whose folders lie in a folder, or those that a Redis knows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import redis

from producer.collecting.pace import is_collected, seconds_left
from producer.collecting.progress import Status
from producer.collecting.shares import Share, shares
from producer.collecting.status import view
from producer.run.folders import require_folders, run_folders
from worker.contract.errors import FleetError
from worker.contract.messages import queue_names
from worker.contract.outcomes import OutcomeStream
from worker.contract.parameters import TASKS
from worker.contract.redis_keys import run_key
from worker.contract.revocations import Revocations

#: Keys per round trip.
_CHUNK: Final = 1000


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A run, as a list has it."""

    #: Empty where nobody knows: the folder cannot be read, or Redis is not told.
    run: str = ""
    folder: str = ""
    state: str
    status: Status | None = None
    #: 0 to 9; None where it is over, or nobody knows.
    priority: int | None = None
    #: This run's part of the rows that workers take, while others wait, too; None where none of its rows waits.
    share: float | None = None
    #: Rows that were answered and that nobody has collected yet.
    uncollected: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        counts = {} if self.status is None else self.status.as_dict()
        names = ("run", "folder", "state", "uncollected", "priority", "share", "seconds_left")
        return {**counts, **{name: getattr(self, name) for name in names}}

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at the run's own pace; None where nothing moves."""
        return None if self.status is None else seconds_left(self.status.unanswered, self.status.rows_per_s)


def runs_in(folder: Path, say: Callable[[str], None], broker_url: str | None = None) -> Iterator[Listed]:
    """Iterate over the runs whose folders lie in a folder; one that cannot be read is listed with the reason.

    Raises:
        RunError: there is no such folder.

    """
    require_folders([folder])
    for found in run_folders([folder]):
        try:
            seen = view(found, say, broker_url, asking=False)
        except FleetError as error:
            yield Listed(folder=str(found), state=str(error))
            continue
        status = seen.status
        yield Listed(
            run=status.run,
            folder=str(found),
            state=_state(status, is_collected=seen.owner is not None, is_away=seen.queue is None),
            status=status,
            priority=seen.priority,
            share=seen.share and seen.share.share,
            uncollected=seen.uncollected,
        )


def runs_of(client: redis.Redis) -> Iterator[Listed]:
    """Iterate over the runs that a Redis knows, with the counts that their collectors published last."""
    prefix, suffix = run_key("*", "status").split("*")
    sharing = cache(partial(_shares, client))
    for key in sorted(client.scan_iter(match=f"{prefix}*{suffix}", count=_CHUNK)):
        run = key.decode().removeprefix(prefix).removesuffix(suffix)
        stream = OutcomeStream(client, run)
        if (published := stream.status()) is None:  # it has gone since
            continue
        status = Status.read(published)
        cancelled = Revocations(client, run).cancelled
        share = sharing(status.model).get(run)
        yield Listed(
            run=run,
            folder=status.folder,
            state="cancelled" if cancelled else _state(status, is_collected=is_collected(stream.quiet_for())),
            status=status,
            priority=share and share.priority,
            share=share and share.share,
            uncollected=len(stream),
        )


def _shares(client: redis.Redis, model: str) -> dict[str, Share]:
    """Return the shares of a model's runs: those of one task have workers of their own."""
    return {run: share for task in TASKS for run, share in shares(client, queue_names(model, task)).items()}


def _state(status: Status, *, is_collected: bool, is_away: bool = False) -> str:
    if status.cancelled:
        return "cancelled"
    if not status.waiting:
        return "finished"
    if is_away:
        return "stopped"
    return "at work" if is_collected else "not collected"
