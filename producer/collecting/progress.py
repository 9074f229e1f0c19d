"""How far a run is: its counts."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol, Self

from producer.run.calculations import Made
from producer.run.ledger import Ledger
from producer.run.records import State
from worker.contract.row_warnings import RowWarning


@dataclass(frozen=True, kw_only=True)
class Status:
    """A run's counts."""

    total: int
    done: int
    failed: int
    #: Rows that came with their output, and were left alone.
    kept: int = 0
    waiting: int
    rows_per_s: float
    #: Rows that each worker answered.
    workers: dict[str, int] = field(default_factory=dict)
    #: Rows by what is to be said of them (`worker.contract.row_warnings`); a row may be of several kinds.
    warnings: dict[str, int] = field(default_factory=dict)
    #: Share of the rows in micro-batches whose batch was full; None before the first.
    full_batches: float | None = None
    #: Images that were made, and seconds of a GPU that they took.
    images: int = 0
    gpu_seconds: float = 0.0
    #: Share of the last minute in which the GPUs of the workers that answer were editing; None where that is not known.
    busy: float | None = None
    #: Whether nothing more is done of it until it is taken up again.
    cancelled: bool = False
    #: Of the waiting rows, those that are not sent yet.
    unsent: int = 0
    #: When workers last answered, in seconds by Redis' clock.
    answered_at: dict[str, float] = field(default_factory=dict)
    #: How rows were calculated, the run's own way first: `profile`, `weights`, `contract`, `rows`, `workers`.
    calculations: list[dict[str, Any]] = field(default_factory=list)
    #: Whose counts these are, where they were published.
    run: str = ""
    folder: str = ""
    model: str = ""

    @classmethod
    def read(cls, published: str) -> Self:
        """Read what a collector has published; what a later version says beyond this is passed over."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in json.loads(published).items() if name in known})

    @property
    def answered(self) -> int:
        """Rows of which it is known what becomes of them."""
        return self.done + self.failed + self.kept

    @property
    def unanswered(self) -> int:
        """Rows that are to come, also those that are not sent yet."""
        return max(self.waiting, self.total - self.answered)

    def as_dict(self) -> dict[str, Any]:
        """Return the status for JSON."""
        return asdict(self)


def status_of(ledger: Ledger, rows_per_s: float, *, total: int = 0) -> Status:
    """Return a run's counts as its ledger has them; it has at least `total` rows, some of which are not in it yet."""
    states, tally, warnings = ledger.states(), ledger.tally(), ledger.warnings()
    batched = tally.get("batched", 0)
    return Status(
        total=max(total, sum(states.values())),
        done=states[State.DONE],
        failed=states[State.FAILED],
        kept=states[State.KEPT],
        waiting=states[State.NOTED] + states[State.SENT],
        unsent=states[State.NOTED],
        rows_per_s=rows_per_s,
        workers=_of_workers(tally, "worker:"),
        answered_at={worker: n / 1000 for worker, n in _of_workers(tally, "seen:").items()},
        calculations=as_dicts(ledger.calculations.all(tally)),
        warnings={kind.value: n for kind in RowWarning if (n := warnings[kind])},
        images=tally.get("images", 0),
        gpu_seconds=tally.get("gpu_milliseconds", 0) / 1000,
        full_batches=round(tally.get("full", 0) / batched, 4) if batched else None,
    )


def as_dicts(made: Iterable[Made]) -> list[dict[str, Any]]:
    """Return how rows were calculated as a status has it."""
    return [{**one.calculation._asdict(), "rows": one.rows, "workers": [*one.workers]} for one in made]


def _of_workers(tally: dict[str, int], kind: str) -> dict[str, int]:
    return {key.removeprefix(kind): n for key, n in sorted(tally.items()) if key.startswith(kind)}


class Reporter(Protocol):
    """Whoever wants to know how far a run is."""

    def __call__(self, status: Status) -> None:
        """Take note of the newest status."""
