"""Striking: one fault after another, each when enough rows are edited, some before the last one is over."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

from tests.chaos.faults import Fault, KillCollector, KillProducer
from tests.chaos.fleet import Fleet
from tests.chaos.redis_faults import FailOver, RefuseWrites, RestartRedis
from tests.chaos.runs import Runs
from tests.chaos.schedule import Kind, Planned
from tests.chaos.watching import watch
from tests.chaos.worker_faults import FreezeWorker, KillWorker, StopWorker

_FAULTS: dict[Kind, type[Fault]] = {
    fault.kind: fault
    for fault in (
        *(KillWorker, StopWorker, FreezeWorker),
        *(RestartRedis, FailOver, RefuseWrites),
        *(KillProducer, KillCollector),
    )
}

#: Seconds from one fault to the next after which something hangs: a worker's start, a visibility timeout and a look for
#: lost rows make 30.
_LIMIT = 120.0


class Storm:
    """Faults that strike a fleet and its runs."""

    def __init__(self, fleet: Fleet, runs: Runs, *, seed: int, say: Callable[[str], None]) -> None:
        self.faults: list[Fault] = []
        self._fleet = fleet
        self._runs = runs
        self._random = Random(seed)  # noqa: S311 - it hides nothing; it repeats
        self._say = say
        self._open: list[Fault] = []

    def blow(self, schedule: Sequence[Planned]) -> None:
        """Strike as planned; return once the fleet has recovered from everything and the runs are finished."""
        # Where rows run out, a patient fault waits no longer than until the next one's turn.
        for planned, then in pairwise([*schedule, schedule[-1]]):
            fault = _FAULTS[planned.kind](self._fleet, self._runs, self._random)
            self._watch(lambda: self._is_due(planned, then, fault), f"{planned} can strike")  # noqa: B023
            fault.strike()
            self.faults.append(fault)
            self._open.append(fault)
            edited, stroke = self._edited(), fault.stroke
            self._say(f"{edited:4} rows edited: {stroke.kind} ({stroke.victim}, {len(stroke.held)} rows in hand)")
        self._watch(lambda: self._runs.finished and not self._open, "the runs are finished")

    def look(self) -> None:
        """Go on with the faults that are not over."""
        self._open = [fault for fault in self._open if not fault.is_over()]

    def _is_due(self, planned: Planned, then: Planned, fault: Fault) -> bool:
        assert not self._runs.first.finished, f"the run was finished before {planned} could strike"
        edited = self._edited()
        if edited < planned.at or (planned.patient and self._open and edited < then.at):
            return False
        return fault.may_strike(urgent=edited >= then.at)

    def _edited(self) -> int:
        """Count the first run's rows by the workers' logs: the ledger stands still where no command holds the run."""
        rows = {row for log in self._fleet.logs for row in log.succeeded}
        return sum(row.startswith(f"{self._runs.first.id}.") for row in rows)

    def _watch(self, until: Callable[[], bool], what: str) -> None:
        watch([self._fleet, self._runs, self], until, what, limit=_LIMIT)
