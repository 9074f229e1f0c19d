"""What a command is about to do with an input's rows: found out before anything is changed."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from producer.rows.lines import Line, in_chunks
from producer.rows.parser import Row, RowParser
from producer.run.ledger import Ledger
from producer.run.rates import passes_of
from producer.run.records import Known, State

#: Lines per look into the ledger.
_CHUNK = 1000

#: Where a row that is to be sent is counted, by its state before.
_SENT_AS: Final = {State.FAILED: "failed", State.NOTED: "unsent"}

#: What a row is whose Redis is gone.
_RECALLED: Final = {State.SENT: State.NOTED}

#: Where one is counted that is what it was.
_LEFT_AS: Final = {State.DONE: "finished", State.SENT: "on_their_way"}


@dataclass(kw_only=True)
class Plan:
    """Rows of the input by what becomes of them; each counts once."""

    #: To be edited: never seen before, failed before, noted before and never sent, or sent to a Redis that is gone.
    new: int = 0
    failed: int = 0
    unsent: int = 0
    #: To be edited again, or no longer: finished or on their way, and their lines have changed since.
    changed: int = 0
    #: The same, where their lines have not changed, but the run's options have.
    lost: int = 0
    #: Left alone: finished, on their way, came with their output, cannot be edited.
    finished: int = 0
    on_their_way: int = 0
    kept: int = 0
    bad: int = 0
    #: Which options have changed, and how.
    because: tuple[str, ...] = ()
    #: Whether every line was compared; else rows whose lines have changed are counted as if they had not.
    is_exact: bool = False
    #: Steps of the model over all images of all rows to be edited; 0 where not every line was compared.
    steps: int = 0
    #: Seconds that they take on one GPU, by what this run has measured; None where that is unknown.
    gpu_seconds: float | None = None

    @property
    def total(self) -> int:
        """Rows of the input."""
        return self.to_edit + self.finished + self.on_their_way + self.kept + self.bad

    @property
    def to_edit(self) -> int:
        """Rows that will be sent, as far as is known."""
        return self.new + self.failed + self.unsent + self.changed + self.lost

    def as_dict(self) -> dict[str, Any]:
        """Return the plan for JSON."""
        return {"total": self.total, "to_edit": self.to_edit, **asdict(self)}


def by_counts(total: int, states: Mapping[State, int], *, is_gone: bool = False) -> Plan:
    """Plan by the ledger's counts alone: enough where the run's options are what they were."""
    sent = states[State.SENT]
    return Plan(
        new=max(0, total - sum(states.values())),
        failed=states[State.FAILED],
        unsent=states[State.NOTED] + (sent if is_gone else 0),
        finished=states[State.DONE],
        on_their_way=0 if is_gone else sent,
        kept=states[State.KEPT],
    )


def by_rows(
    lines: Iterable[Line],
    ledger: Ledger | None,
    parser: RowParser,
    earlier: RowParser | None = None,
    because: tuple[str, ...] = (),
    *,
    is_gone: bool = False,
) -> Plan:
    """Plan by comparing every row with what the ledger knows of it; `earlier` parses as the run's last command did.

    `is_gone`: whether nothing is on its way any more.

    Raises:
        RunError: the input cannot be read.

    """
    plan = Plan(because=because, is_exact=True)
    for chunk in in_chunks(lines, _CHUNK):
        known = {} if ledger is None else ledger.known(line.row for line in chunk)
        if is_gone:
            known = {row: one._replace(state=_RECALLED.get(one.state, one.state)) for row, one in known.items()}
        for line in chunk:
            row = parser.parse(line)
            what = _what_becomes(row, known.get(line.row), earlier)
            setattr(plan, what, getattr(plan, what) + 1)
            if row.request is not None and what not in _LEFT_AS.values():
                plan.steps += passes_of(row.request, parser.spec)
    return plan


def _what_becomes(row: Row, known: Known | None, earlier: RowParser | None) -> str:
    """Return the field of a plan in which a row counts."""
    if known is not None and known.state in _LEFT_AS:
        if known.fingerprint == _fingerprint(row):
            return _LEFT_AS[known.state]
        if earlier is not None and known.fingerprint == _fingerprint(earlier.parse(row.line)):
            return "lost"
        if row.request is not None:
            return "changed"
    if row.request is None:
        return "kept" if row.kept else "bad"
    return "new" if known is None else _SENT_AS.get(known.state, "new")


def _fingerprint(row: Row) -> str | None:
    return None if row.request is None else row.request.fingerprint
