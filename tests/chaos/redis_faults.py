"""The faults that strike Redis; over once it is itself again and the next answer is in the ledger."""

from abc import abstractmethod

from tests.chaos.faults import MUCH, Fault
from tests.chaos.fleet import now
from tests.chaos.schedule import Kind
from tests.chaos.strokes import Stroke

#: Seconds after which Redis comes back in any case.
_MOST = 10.0


class _RedisFault(Fault):
    def may_strike(self, *, urgent: bool) -> bool:
        """Tell whether Redis is itself, with a second one beside it, and workers hold rows."""
        held = self._in_hand(*(place for place in self._fleet.places if place.works))
        return len(held) >= (1 if urgent else MUCH) and self._fleet.server.is_whole()

    def strike(self) -> None:
        """Take Redis away; at stake is every row in the hands of workers that are not struck otherwise."""
        able = [place for place in self._fleet.places if place.works and self._in_hand(place)]
        self._before = [(place, place.log, place.log.times_missed) for place in able]
        self._up: float | None = None
        held = self._in_hand(*able)
        self.stroke = Stroke(kind=self.kind, victim="redis", when=now(), held=held)
        self._down()

    def is_over(self) -> bool:
        """Bring Redis back once it is missed; over once the next answer is in the ledger."""
        if self._up is None and self._is_noticed():
            self._back()
            self._up = now()
        return self._up is not None and self._answer_since(self._up) is not None

    def recovered(self) -> float:
        """Return when the next answer was in the ledger."""
        return self._answer_since(self._up or self.stroke.when) or now()

    def _is_noticed(self) -> bool:
        # One that had not come over the outage before, or has nothing to ask, says nothing new.
        return now() - self.stroke.when > _MOST or all(
            place.log is not log or not place.works or log.misses or log.times_missed > before
            for place, log, before in self._before
        )

    @abstractmethod
    def _down(self) -> None: ...

    @abstractmethod
    def _back(self) -> None: ...


class RestartRedis(_RedisFault):
    """A server that dies and comes back with what it had written."""

    kind = Kind.REDIS_RESTARTED
    done = "SIGKILL; once every worker with rows misses it, or after 10 s, it starts again on its append-only file"

    def _down(self) -> None:
        self._fleet.server.kill()

    def _back(self) -> None:
        self._fleet.server.start()


class FailOver(_RedisFault):
    """A server that is another's replica for a while, and refuses every write: READONLY, UNBLOCKED."""

    kind = Kind.REDIS_FAILED_OVER
    done = "it becomes the replica of a second one, until every worker with rows misses it, or for 10 s; then back"

    def _down(self) -> None:
        self._fleet.server.hand_over_to(self._fleet.spare)

    def _back(self) -> None:
        self._fleet.spare.hand_over_to(self._fleet.server)


class RefuseWrites(_RedisFault):
    """A server whose disk is full: MISCONF."""

    kind = Kind.REDIS_REFUSED
    done = "it cannot save a snapshot, and refuses to write, until every worker with rows misses it, or for 10 s"

    def _down(self) -> None:
        self._fleet.server.break_snapshots()

    def _back(self) -> None:
        self._fleet.server.mend_snapshots()
