"""What all faults have in common, and those that strike the command that holds the run."""

from abc import ABC, abstractmethod
from random import Random
from typing import ClassVar

from tests.chaos.fleet import Fleet, now
from tests.chaos.place import Place
from tests.chaos.runs import Runs
from tests.chaos.schedule import Kind
from tests.chaos.strokes import Stroke

#: Rows that a victim holds, so that it is worth while: more than one micro-batch.
MUCH = 5


class Fault(ABC):
    """A fault, from its stroke to the fleet's recovery."""

    kind: ClassVar[Kind]
    #: What is done, for the table.
    done: ClassVar[str]
    #: Set once it has struck.
    stroke: Stroke

    def __init__(self, fleet: Fleet, runs: Runs, random: Random) -> None:
        self._fleet = fleet
        self._runs = runs
        self._random = random

    @abstractmethod
    def may_strike(self, *, urgent: bool) -> bool:
        """Tell whether there is somebody to strike now who has much to lose; where it is urgent, anything."""

    @abstractmethod
    def strike(self) -> None:
        """Do it."""

    @abstractmethod
    def is_over(self) -> bool:
        """Go on with it, and tell whether the fleet has recovered."""

    @abstractmethod
    def recovered(self) -> float:
        """Return when the fleet had recovered, in seconds since the epoch."""

    def _in_hand(self, *places: Place) -> frozenset[str]:
        """Return the runs' rows that these workers hold."""
        rows = {row for place in places for row in place.log.in_hand if self._runs.has(row)}
        return frozenset(rows - self._runs.answered.keys())

    def _answer_since(self, moment: float) -> float | None:
        """Return when the next row of the first run was answered."""
        return min((when for when in self._runs.first.answered.values() if when > moment), default=None)


class _CommandFault(Fault):
    """A fault of the command that holds the run: over once the next answer is in the ledger."""

    _command: ClassVar[str]

    def may_strike(self, *, urgent: bool) -> bool:
        del urgent
        return self._runs.first.holds(self._command)

    def strike(self) -> None:
        self._runs.first.kill()
        # After it: from here on only its successor can bring answers.
        self.stroke = Stroke(kind=self.kind, victim=self._command, when=now())

    def is_over(self) -> bool:
        return self._answer_since(self.stroke.when) is not None

    def recovered(self) -> float:
        return self._answer_since(self.stroke.when) or now()


class KillProducer(_CommandFault):
    """Somebody's terminal closes."""

    kind = Kind.PRODUCER_KILLED
    done = "SIGKILL of `producer submit`; the same command again"
    _command = "submit"

    def may_strike(self, *, urgent: bool) -> bool:
        """Tell whether rows are in the queue: at first that is just when it has published, and not yet noted them."""
        return super().may_strike(urgent=urgent) and (urgent or self._fleet.queued() > 0)


class KillCollector(_CommandFault):
    """Somebody's terminal closes, later."""

    kind = Kind.COLLECTOR_KILLED
    done = "SIGKILL of `producer collect`; the same command again"
    _command = "collect"
