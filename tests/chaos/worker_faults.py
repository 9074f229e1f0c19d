"""The faults that strike a worker which holds rows; over once all of these are answered."""

from abc import abstractmethod
from collections.abc import Sequence

from tests.chaos.faults import MUCH, Fault
from tests.chaos.fleet import now
from tests.chaos.place import Place
from tests.chaos.schedule import Kind
from tests.chaos.strokes import Stroke


class _WorkerFault(Fault):
    _place: Place
    _candidates: Sequence[Place]

    def may_strike(self, *, urgent: bool) -> bool:
        self._candidates = self._able(1 if urgent else MUCH)
        return bool(self._candidates)

    def strike(self) -> None:
        self._place = self._random.choice(self._candidates)
        self._place.log.look()
        held, victim = self._in_hand(self._place), self._place.log.path.stem
        self._do()
        # After it: a micro-batch that began just before was taken from it in the middle.
        self.stroke = Stroke(kind=self.kind, victim=victim, when=now(), held=held)

    def is_over(self) -> bool:
        return self.stroke.held <= self._runs.answered.keys()

    def recovered(self) -> float:
        answered = self._runs.answered
        return max((answered[row] for row in self.stroke.held), default=self.stroke.when)

    def _able(self, least: int) -> list[Place]:
        """Return the workers that hold at least so many rows."""
        return [place for place in self._fleet.places if place.works and len(self._in_hand(place)) >= least]

    @abstractmethod
    def _do(self) -> None: ...


class KillWorker(_WorkerFault):
    """What the kernel does when memory runs out."""

    kind = Kind.WORKER_KILLED
    done = "SIGKILL; another of the same name starts"

    def _do(self) -> None:
        self._place.kill()


class StopWorker(_WorkerFault):
    """What a deployment does."""

    kind = Kind.WORKER_STOPPED
    done = "SIGTERM; it exits 0 and another starts"

    def _do(self) -> None:
        self._place.terminate()


class FreezeWorker(_WorkerFault):
    """What a laptop's lid, a stuck network share or a suspended virtual machine does."""

    kind = Kind.WORKER_FROZEN
    done = "SIGSTOP until its rows were given to others, then SIGCONT"

    def _do(self) -> None:
        self._log = self._place.log
        self._place.freeze()

    def is_over(self) -> bool:
        """Let the worker go on once its rows are elsewhere; the rest is like any other worker's fault."""
        if self._place.log is self._log and self._place.frozen and self._are_elsewhere():
            self._place.thaw()
        return not self._place.frozen and super().is_over()

    def _able(self, least: int) -> list[Place]:
        # Somebody must be there to whom the rows are given.
        return super()._able(least) if sum(place.works for place in self._fleet.places) > 1 else []

    def _are_elsewhere(self) -> bool:
        elsewhere = self._fleet.received_since(self.stroke.when, besides=self._log)
        return self.stroke.held <= self._runs.answered.keys() | elsewhere
