"""How a run's rows were calculated, and by whom: that of its first row is the run's own."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, Self

from worker.contract.messages import Outcome

#: Where the ledger's counts and facts have it.
_COUNTED: Final = "made:"
_OWN: Final = "calculation"


class Calculation(NamedTuple):
    """What a row's pictures depend on, beside the row itself."""

    profile: str
    #: Which weights (`worker.models.weights.identity`); empty where the model does not tell.
    weights: str
    contract: int

    @classmethod
    def of(cls, outcome: Outcome) -> Self | None:
        """Return that of a row; None where no model had it: it failed before, or was finished already."""
        if outcome.batch_id is None or outcome.profile is None:
            return None
        return cls(outcome.profile, outcome.weights or "", outcome.v)

    def __str__(self) -> str:
        """Name it for people."""
        return f"profile {self.profile}{self.weights and f', weights {self.weights}'}"


#: No rows.
_NONE: Final[Mapping[tuple[Calculation, str], int]] = MappingProxyType({})


class Made(NamedTuple):
    """Rows of a run that were calculated alike."""

    calculation: Calculation
    rows: int
    workers: tuple[str, ...]


class Calculations:
    """Those of a ledger's rows."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def forget(self) -> None:
        """Begin anew: no row of the run is finished, so none could differ from others."""
        self._db.execute("DELETE FROM meta WHERE key = ?", (_OWN,))
        self._db.execute("DELETE FROM tally WHERE key GLOB ?", (f"{_COUNTED}*",))

    def note(self, outcomes: Iterable[Outcome]) -> None:
        """Take note of how rows were calculated; where the run has no way yet, the first one's is its own."""
        counted = Counter(
            (made, outcome.worker) for outcome in outcomes if (made := Calculation.of(outcome)) is not None
        )
        for made, worker in counted:
            self._db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (_OWN, json.dumps(made)))
            self._db.execute(
                "INSERT INTO tally VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET n = n + excluded.n",
                (_COUNTED + json.dumps([*made, worker]), counted[made, worker]),
            )

    def all(self, tally: Mapping[str, int], more: Mapping[tuple[Calculation, str], int] = _NONE) -> list[Made]:
        """Return what there is, the run's own first, then by rows; `more`: by workers, what the ledger lacks yet."""
        found: dict[Calculation, dict[str, int]] = {}
        for made, worker, rows in [*_counted(tally), *((*of_whom, rows) for of_whom, rows in more.items())]:
            workers = found.setdefault(made, {})
            workers[worker] = workers.get(worker, 0) + rows
        own = self._own() or next(iter(found), None)
        listed = [Made(made, sum(workers.values()), tuple(sorted(workers))) for made, workers in found.items()]
        return sorted(listed, key=lambda made: (made.calculation != own, -made.rows))

    def _own(self) -> Calculation | None:
        found = self._db.execute("SELECT value FROM meta WHERE key = ?", (_OWN,)).fetchone()
        return None if found is None else Calculation(*json.loads(found[0]))


def _counted(tally: Mapping[str, int]) -> Iterator[tuple[Calculation, str, int]]:
    for key, rows in tally.items():
        if key.startswith(_COUNTED):
            *made, worker = json.loads(key.removeprefix(_COUNTED))
            yield Calculation(*made), worker, rows
