"""Who takes note of what a worker does: this one makes nothing of it, and is what a worker without a port has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from worker.contract.messages import Outcome
from worker.metrics.failures import FailureKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """What is known of a worker once its model is ready; the functions are called by other threads."""

    worker: str
    model: str
    profile: str
    #: Seconds of its start, by part.
    seconds: Mapping[str, float]
    #: Share of the last minute that the model was at work, from 0 to 1.
    busy: Callable[[], float]
    rows_in_hand: Callable[[], int]
    #: Bytes of the GPU's memory, by kind; empty without a GPU.
    gpu_memory: Callable[[], Mapping[str, int]]


class Observer:
    """Is told what a worker does, by whichever thread does it."""

    def ready(self, ready: Ready) -> None:
        """Take note that the model is ready for rows."""

    def stopping(self) -> None:
        """Take note that no more rows are taken."""

    def batch(self, rows: int, limit: int, seconds: float) -> None:
        """Take note of a micro-batch that was edited: its rows, those of a full one, and the seconds of the model."""

    def batch_failed(self) -> None:
        """Take note of a call of the model that failed."""

    def answered(self, outcome: Outcome, failure: FailureKind | None) -> None:
        """Take note of a row whose outcome is recorded, and of what kind its failure is, if it is one."""

    def given_back(self) -> None:
        """Take note of a row that goes back to the queue."""

    def unwanted(self) -> None:
        """Take note of a row that nobody waits for any more."""
