"""What a row failed of is told apart as an operator would."""

import pytest

from worker.contract.errors import CrashedError, OutOfMemory, RowError, TransientError
from worker.metrics.failures import MEANING, FailureKind, failure_kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RowError("a.png: no such file"), FailureKind.ROW),
        (TransientError("a.png: input/output error"), FailureKind.STORAGE),
        (OutOfMemory("1024x1024", 1), FailureKind.MEMORY),
        (CrashedError("crashed its worker 3 times"), FailureKind.CRASH),
        (ValueError("cannot broadcast"), FailureKind.WORKER),
    ],
)
def test_an_error_has_a_kind(error: Exception, kind: FailureKind) -> None:
    """The most exact one wins, and what nobody expected is the worker's."""
    assert failure_kind(error) is kind


def test_every_kind_has_a_meaning() -> None:
    """None is left for the reader to guess."""
    assert [*MEANING] == [*FailureKind]
