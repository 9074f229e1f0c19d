"""What all faults have in common, and those that strike the command that holds the run."""

from abc import ABC, abstractmethod
from random import Random
from typing import ClassVar

from tests.chaos.fleet import Fleet, now
from tests.chaos.following import Following
from tests.chaos.place import Place
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

    def __init__(self, fleet: Fleet, following: Following, random: Random) -> None:
        self._fleet = fleet
        self._following = following
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

    def _in_hand(self, *places: Place) -> frozenset[int]:
        """Return the run's rows that these workers hold."""
        run, answered = self._following.id, self._following.answered
        rows = [row.split(".") for place in places for row in place.log.in_hand]
        return frozenset({int(number) for of, number in rows if of == run} - answered.keys())

    def _answer_since(self, moment: float) -> float | None:
        """Return when the next row was answered."""
        return min((when for when in self._following.answered.values() if when > moment), default=None)


class _CommandFault(Fault):
    """A fault of the command that holds the run: over once the next answer is in the ledger."""

    _command: ClassVar[str]

    def may_strike(self, *, urgent: bool) -> bool:
        del urgent
        return self._following.holds(self._command)

    def strike(self) -> None:
        self._following.kill()
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
