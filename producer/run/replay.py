"""Rows that the ledger knows, read from the input once more."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from producer.rows.lines import Line, in_chunks, read_lines
from producer.rows.parser import Row
from producer.run.open_run import Run
from producer.run.records import State

#: Lines per look into the ledger.
_CHUNK = 1000


class Replayed(NamedTuple):
    """Some rows, in the input's order."""

    #: Those that can be sent as the ledger knows them, or for the first time, where they could not be sent before.
    rows: list[Row]
    #: How many others are not what they were.
    changed: int


def replay(run: Run, states: Collection[State], most: int) -> Iterator[Replayed]:
    """Read the rows that are in one of the states, at most `most` at a time; of the other lines none is parsed.

    Raises:
        RunError: the input cannot be read.

    """
    parser = run.parser
    for lines in in_chunks(_lines(run, states), most):
        forms = run.ledger.forms(states, (line.row for line in lines))
        parsed = [parser.parse(line) for line in lines if line.row in forms]
        rows = [row for row in parsed if row.request is not None and _is_same(row, forms[row.line.row])]
        # One that was bad and is still bad is not sent, and has not changed either.
        others = [row for row in parsed if row.request is not None or forms[row.line.row] is not None]
        yield Replayed(rows, len(others) - len(rows))


def _is_same(row: Row, known: str | None) -> bool:
    return known is None or (row.request is not None and row.request.fingerprint == known)


def _lines(run: Run, states: Collection[State]) -> Iterator[Line]:
    for lines in in_chunks(read_lines(run.source.path), _CHUNK):
        forms = run.ledger.forms(states, (line.row for line in lines))
        yield from (line for line in lines if line.row in forms)
