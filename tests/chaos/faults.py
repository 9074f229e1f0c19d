"""What all faults have in common, and those that strike Redis or the command that holds the run."""

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


class RestartRedis(Fault):
    """A server that dies and comes back with what it had written."""

    kind = Kind.REDIS_RESTARTED
    done = "SIGKILL; once every worker with rows misses it, it starts again on its append-only file"

    def may_strike(self, *, urgent: bool) -> bool:
        """Tell whether Redis is up, and workers hold rows."""
        held = self._in_hand(*(place for place in self._fleet.places if place.works))
        return len(held) >= (1 if urgent else MUCH) and self._fleet.server.answers()

    def strike(self) -> None:
        """Kill Redis; at stake is every row in the hands of workers that are not struck otherwise."""
        able = [place for place in self._fleet.places if place.works and self._in_hand(place)]
        self._before = [(place, place.log, place.log.times_missed) for place in able]
        self._up: float | None = None
        held = self._in_hand(*able)
        self.stroke = Stroke(kind=self.kind, victim="redis", when=now(), held=held)
        self._fleet.server.kill()

    def is_over(self) -> bool:
        """Start Redis again once it is missed; over once the next answer is in the ledger."""
        if self._up is None and self._is_noticed():
            self._fleet.server.start()
            self._up = now()
        return self._up is not None and self._answer_since(self._up) is not None

    def recovered(self) -> float:
        """Return when the next answer was in the ledger."""
        return self._answer_since(self._up or self.stroke.when) or now()

    def _is_noticed(self) -> bool:
        return all(
            place.log is not log or not place.works or log.times_missed > before for place, log, before in self._before
        )


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
