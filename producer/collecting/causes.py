"""Why rows have failed: their errors, grouped by what they have in common."""

import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from producer.run.ledger import Ledger

#: What is a row's own in its error: its line, the name of its image, details in brackets, what it quotes.
_OWN: Final = (
    (re.compile(r"^line \d+: "), ""),
    (re.compile(r"^image .*?: (?=[a-z])"), "image: "),
    (re.compile(r" \([^()]*\)"), ""),
    (re.compile(r'"[^"]*"'), '"…"'),
    (re.compile(r"(?<![\w.])/[^\s:,;]+"), "…"),
)

#: Causes that are told apart; what comes after them counts as one more.
_MOST: Final = 1000

_OTHERS: Final = "other errors"


class Failure(NamedTuple):
    """A row that has failed."""

    row: int
    error: str

    @property
    def cause(self) -> str:
        """What it has in common with others."""
        text = self.error
        for own, instead in _OWN:
            text = own.sub(instead, text)
        return text.rstrip(".")


class Cause(NamedTuple):
    """Rows that have failed alike."""

    cause: str
    rows: int
    #: The first of them.
    example: Failure


def failures(ledger: Ledger) -> Iterator[Failure]:
    """Iterate over the failed rows by their numbers."""
    for record in ledger.failed():
        yield Failure(record.row, str(json.loads(record.outcome or "{}").get("error") or "no reason was recorded."))


def causes(ledger: Ledger, more: "Tally | None" = None) -> list[Cause]:
    """Group the failed rows by cause, the most frequent first; `more`: what the ledger does not have yet."""
    tally = Tally()
    for failure in failures(ledger):
        tally.add(failure)
    for cause in more.ranked() if more is not None else ():
        tally.add(cause.example, cause.rows)
    return tally.ranked()


class Tally:
    """Counts failures by cause."""

    def __init__(self) -> None:
        self._found: dict[str, Cause] = {}
        #: How many there were.
        self.rows = 0

    def add(self, failure: Failure, rows: int = 1) -> None:
        """Count a failure, or rows that have failed alike."""
        self.rows += rows
        cause = failure.cause
        if cause not in self._found and len(self._found) >= _MOST:
            cause = _OTHERS
        known = self._found.get(cause, Cause(cause, 0, failure))
        self._found[cause] = known._replace(rows=known.rows + rows)

    def ranked(self) -> list[Cause]:
        """Return the causes, the most frequent first."""
        return sorted(self._found.values(), key=lambda cause: -cause.rows)
