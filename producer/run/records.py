"""The records of a run's ledger."""

import json
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import NamedTuple, Self

from worker.contract.row_warnings import RowWarning


class State(IntEnum):
    """Where a row stands."""

    NOTED = 0  #: read from the input, not yet sent
    SENT = 1  #: in Redis or with a worker
    DONE = 2
    FAILED = 3
    KEPT = 4  #: came with its output; left alone


class Known(NamedTuple):
    """What the ledger knows of a row, as far as it decides whether the row is sent."""

    #: None where it could not be sent.
    fingerprint: str | None
    state: State


class Entry(NamedTuple):
    """What the ledger is to remember of a row of the input."""

    row: int
    #: None where the row cannot be sent.
    fingerprint: str | None
    state: State
    error: str | None = None
    #: What the row itself gives cause to say.
    warnings: tuple[RowWarning, ...] = ()


class Noted(NamedTuple):
    """What noting rows of the input calls for."""

    #: Rows to send.
    wanted: set[int]
    #: Fingerprints, by row, of changed rows whose older form is still on its way; "" where none takes its place.
    superseded: dict[int, str]
    #: Rows of `wanted` that the ledger knew before, in whatever form.
    known: set[int]

    @classmethod
    def of(cls, changed: Iterable[Entry], known: Mapping[int, Known]) -> Self:
        """Derive it from what changed, and from what the ledger knew before."""
        wanted, superseded = set(), {}
        for entry in changed:
            if entry.state is State.NOTED:
                wanted.add(entry.row)
            before, state = known.get(entry.row, (None, None))
            # NOTED, too: a producer that died may have published the row without noting that.
            if state in {State.NOTED, State.SENT} and before != entry.fingerprint:
                superseded[entry.row] = entry.fingerprint or ""
        return cls(wanted=wanted, superseded=superseded, known=wanted & known.keys())


class Answer(NamedTuple):
    """What became of a row that is answered."""

    row: int
    #: DONE, FAILED or KEPT.
    state: State
    #: As in `Record`.
    outcome: str | None
    warnings: tuple[RowWarning, ...]


class Record(NamedTuple):
    """What the ledger remembers of a row."""

    row: int
    fingerprint: str | None
    state: State
    attempts: int
    #: JSON of the `Outcome`, or {"error": …} of a row that was never sent.
    outcome: str | None


def pictures_of(record: Record) -> tuple[str, ...]:
    """Return the pictures of a finished row, those of its earlier turns, too, relative to the run folder."""
    found = json.loads(record.outcome or "{}")
    return (*found.get("paths", ()), *found.get("earlier_paths", ()))
