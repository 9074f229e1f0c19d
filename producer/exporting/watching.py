"""One run, looked at again and again without its lock: its ledger, and what Redis has beyond that."""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from producer.collecting.pace import Pace, is_collected, seconds_left
from producer.run.failures import ledger_errors
from producer.run.ledger import Ledger
from producer.run.manifest import remembered
from producer.run.queues import RunQueue
from producer.run.records import State
from worker.contract.broker_errors import BROKER_ERRORS
from worker.contract.outcomes import OutcomeStream, open_redis
from worker.contract.revocations import Revocations
from worker.settings.fleet import Settings

#: States of rows as they are shown, and what each means.
STATES: Final = {
    "waiting": "unanswered",
    "uncollected": "answered, and not yet in the ledger",
    "done": "edited",
    "failed": "failed",
    "kept": "came with their output",
}

#: Counting may take so much of the time: ten million rows take seconds.
_SHARE: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen of a run."""

    run: str
    settings: Settings
    #: By the names of `STATES`.
    rows: dict[str, int]
    rows_per_s: float
    #: None while nothing moves.
    seconds_left: float | None
    cancelled: bool
    #: Rows that wait in its queue, of those that are waited for.
    queued: int


class _InRedis(NamedTuple):
    uncollected: int = 0
    cancelled: bool = False
    #: What the collector measured, if there is one.
    rows_per_s: float = 0.0
    queued: int = 0


@dataclass(kw_only=True)
class WatchedRun:
    """The run of a folder."""

    folder: Path
    broker_url: str | None
    clock: Callable[[], float] = time.monotonic
    _pace: Pace = field(init=False)
    _counted: Counter[State] = field(init=False, default_factory=Counter)
    _stamp: tuple[int, int] | None = None
    _next_count: float = 0.0

    def __post_init__(self) -> None:
        """Begin to measure."""
        self._pace = Pace(self.clock)

    def look(self) -> Look:
        """Look at it now.

        Raises:
            FleetError: the folder holds no run that this version can read.

        """
        with ledger_errors(self.folder), Ledger(self.folder, read_only=True) as ledger:
            _, settings = remembered(self.folder, ledger, broker_url=self.broker_url)
            run, states = ledger.run, self._states(ledger)
        unanswered = states[State.NOTED] + states[State.SENT]
        redis = _in_redis(run, settings) if unanswered else _InRedis()
        uncollected = min(redis.uncollected, unanswered)
        waiting = unanswered - uncollected
        self._pace.seen(states[State.DONE] + states[State.FAILED] + uncollected)
        measured = self._pace.per_second()
        rate = redis.rows_per_s if measured is None else measured
        done, failed, kept = states[State.DONE], states[State.FAILED], states[State.KEPT]
        return Look(
            run=run,
            settings=settings,
            rows={"waiting": waiting, "uncollected": uncollected, "done": done, "failed": failed, "kept": kept},
            rows_per_s=rate if waiting else 0.0,
            seconds_left=seconds_left(waiting, rate),
            cancelled=redis.cancelled,
            queued=redis.queued,
        )

    def _states(self, ledger: Ledger) -> Counter[State]:
        """Count the rows, unless the ledger is as it was, or counting it has just taken long."""
        found = ledger.path.stat()
        stamp = (found.st_mtime_ns, found.st_size)
        if stamp != self._stamp and self.clock() >= self._next_count:
            begun = self.clock()
            self._counted, self._stamp = ledger.states(), stamp
            self._next_count = self.clock() + (self.clock() - begun) / _SHARE
        return self._counted


def _in_redis(run: str, settings: Settings) -> _InRedis:
    """Ask Redis; where it does not answer, the ledger is all that is known."""
    try:
        with open_redis(settings.broker, patience=None, timeout=2.0) as client:
            stream = OutcomeStream(client, run)
            uncollected, published = len(stream), stream.status()
            is_measured = is_collected(stream.quiet_for())
            cancelled = Revocations(client, run).cancelled
            queued = len(RunQueue(client, settings.queue, run))
        rate = json.loads(published).get("rows_per_s", 0.0) if published and is_measured else 0.0
        return _InRedis(uncollected, cancelled, rate, queued)
    except (*BROKER_ERRORS, ValueError):
        return _InRedis()
