"""Tells a row that the model cannot edit from a model that cannot edit any row."""

from collections.abc import Callable

from worker.batching.jobs import BatchKey
from worker.contract.counting import counted
from worker.contract.errors import ModelError, RowError, one_line


class CircuitBreaker:
    """Opens once the model is broken, before it burns its way through a thousand rows.

    `selftest` raises where the model cannot edit the built-in picture, at the batch key that it is given or, without
    one, at its usual resolution. It is asked after every row that failed alone: a CUDA error leaves a process in which
    every later call fails, too, and a kernel may fail at one resolution only. What this does not show is found by
    counting: `limit` rows that fail, one after the other, with no success between them.
    """

    def __init__(self, selftest: Callable[[BatchKey | None], None], limit: int) -> None:
        self._selftest = selftest
        self._limit = limit
        self._failed = 0

    def succeeded(self) -> None:
        """Take note of a batch that was edited."""
        self._failed = 0

    def failed(self, error: Exception, key: BatchKey) -> None:
        """Judge a row that failed alone, with this key: return where the fault is its own.

        Raises:
            ModelError: the model is broken.

        """
        # What the row itself is to blame for, such as its size, says nothing of the next one, nor of the model.
        own = isinstance(error, RowError)
        self._failed += not own
        if self._failed >= self._limit:
            rows = counted(self._failed, "row", "rows, one after the other")
            raise ModelError(f"The model failed on {rows} ({_reason(error)}).")
        try:
            self._selftest(None if own else key)
        except Exception as proof:
            reasons = f"({_reason(error)}), and then on the built-in picture, too ({_reason(proof)})"
            raise ModelError(f"The model failed on a row {reasons}.") from None


def _reason(error: Exception) -> str:
    # CUDA's errors go on for lines, with advice that is for developers.
    lines = str(error).strip().splitlines()
    return one_line(f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__)
