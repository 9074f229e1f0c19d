"""Editing answered rows again: chosen by number or by what became of them, with the same seed or with another."""

import json
import re
import secrets
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from producer.run.ledger import Ledger
from producer.run.open_run import Run
from producer.run.records import Record, State, pictures_of
from worker.contract.errors import RowError, RunError

#: Below it JSON's numbers are exact for every reader; see `worker.contract.seeds`.
_SEEDS: Final = 2**53

#: Rows per transaction of the ledger.
_CHUNK: Final = 1000

_CONDITION = re.compile(r"(error|warning|worker)(~|=)(.+)", re.DOTALL)


class Where(NamedTuple):
    """A condition on what became of a row."""

    field: str
    #: "~": the text is in it, in whatever case; "=": it is the text.
    operator: str
    text: str

    @classmethod
    def parse(cls, condition: str) -> "Where":
        """Read a condition such as "error~no such file".

        Raises:
            ValueError: it is none.

        """
        if (found := _CONDITION.fullmatch(condition)) is None:
            raise ValueError(f"expected error, warning or worker, then ~ or = and a text, found {condition!r}")
        return cls(*found.groups())

    def holds(self, record: Record) -> bool:
        """Tell whether it holds of a row."""
        outcome: dict[str, Any] = json.loads(record.outcome or "{}")
        values = outcome.get("warnings") or () if self.field == "warning" else [outcome.get(self.field) or ""]
        if self.operator == "=":
            return self.text in values
        return any(self.text.lower() in value.lower() for value in values)


def ranges(text: str) -> list[range]:
    """Read rows such as "7,12-20", numbered as their folders are: they may lie far apart.

    Raises:
        ValueError: they are none.

    """
    rows = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdecimal() or not (last or first).isdecimal() or int(last or first) < int(first):
            raise ValueError(f"expected rows such as 7,12-20, found {part.strip()!r}")
        rows.append(range(int(first), int(last or first) + 1))
    return rows


def chosen(ledger: Ledger, rows: Collection[range] | None, where: Where | None) -> Iterator[Record]:
    """Iterate over the answered rows that were chosen: by number, by what became of them, or by both."""
    for record in ledger.records():
        if record.state not in {State.DONE, State.FAILED} or record.fingerprint is None:
            continue
        if (rows is None or any(record.row in some for some in rows)) and (where is None or where.holds(record)):
            yield record


def redo(run: Run, rows: Collection[range] | None, where: Where | None, *, new_seed: bool) -> int:
    """Count the chosen rows as not sent, and drop their pictures; return how many they are.

    `new_seed`: each gets another seed, which it keeps. Without one a picture comes out as it was, if nothing else has
    changed.

    Raises:
        RunError: none was chosen, or a picture cannot be removed; its rows are not counted as not sent then.

    """
    run.require_pictures()
    found, redone = chosen(run.ledger, rows, where), 0
    while some := list(islice(found, _CHUNK)):
        _redo(run, some, new_seed=new_seed)
        redone += len(some)
    if not redone:
        raise RunError(
            f"The run {run.folder} has no answered row of these; `producer status {run.folder}` counts them."
        )
    return redone


def _redo(run: Run, records: Sequence[Record], *, new_seed: bool) -> None:
    numbers = [record.row for record in records]
    seeds = {row: secrets.randbelow(_SEEDS) for row in numbers} if new_seed else {}
    pictures = [path for record in records for path in pictures_of(record)]
    try:
        # Together: a picture that is still there when its row is edited again would be taken for it.
        run.ledger.undo(numbers, seeds=seeds, drop=lambda: run.place.drop(pictures))
    except RowError as error:
        raise RunError(f"{str(error).rstrip('.')}; the same `producer redo` again goes on with these rows.") from None
