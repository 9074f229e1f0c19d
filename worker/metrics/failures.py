"""Kinds of failures: what a row that is not edited failed of, as an operator sorts them."""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from worker.contract.errors import CrashedError, OutOfMemory, RowError, TransientError


class FailureKind(StrEnum):
    """What a row failed of."""

    ROW = "row"
    STORAGE = "storage"
    MEMORY = "memory"
    CRASH = "crash"
    WORKER = "worker"


#: What each means.
MEANING: Final = MappingProxyType(
    {
        FailureKind.ROW: "the row itself or its picture",
        FailureKind.STORAGE: "files that could not be read or written, however often it was tried",
        FailureKind.MEMORY: "too large for the GPU",
        FailureKind.CRASH: "it has ended too many workers",
        FailureKind.WORKER: "an error that nobody expected, in the model or in this program",
    }
)

#: The first that fits.
_KINDS: Final = (
    (CrashedError, FailureKind.CRASH),
    (OutOfMemory, FailureKind.MEMORY),
    (TransientError, FailureKind.STORAGE),
    (RowError, FailureKind.ROW),
)


def failure_kind(error: Exception) -> FailureKind:
    """Tell of which kind a row's error is."""
    return next((kind for cause, kind in _KINDS if isinstance(error, cause)), FailureKind.WORKER)
