"""The finished rows of a run, read beside whoever is at work on it: no lock is taken, and no writer held up."""

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from producer.collecting.output import answers_this
from producer.gallery.entries import Entry, entry_of
from producer.rows.lines import Line, in_chunks, read_lines
from producer.rows.parser import RowParser
from producer.run.ledger import Ledger
from producer.run.manifest import remembered
from producer.run.pictures_claim import require_taken
from producer.run.records import Record, State

#: Rows of a chunk: the page loads chunk by chunk, and a run that goes on changes few of them.
CHUNK: Final = 500

_FINISHED: Final = {State.DONE, State.FAILED, State.KEPT}


class Chunk(NamedTuple):
    """Some rows in the input's order."""

    number: int
    #: None where they are as they were.
    entries: list[Entry] | None
    #: What tells whether they have changed.
    signature: str


class Reader:
    """Reads the finished rows of one run, as often as wanted."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        """Take up a run.

        Raises:
            RunError: the folder's run was never submitted, or its pictures' place at an object store is not to be seen.

        """
        self.source, self.settings = remembered(folder, ledger)
        if self.settings.pictures is not None:  # else a page without a single picture would be all that is said
            require_taken(self.settings.pictures, ledger)
        self._ledger = ledger
        self._parser = RowParser(self.settings, run=ledger.run, base=self.source.base, run_dir=folder)

    def chunks(self, step: int, known: dict[int, str]) -> Iterator[Chunk]:
        """Iterate over every `step`-th row, chunk by chunk; `known` are the signatures of chunks that are there.

        Raises:
            RunError: the input cannot be read.

        """
        lines = islice(read_lines(self.source.path), None, None, step)
        for number, some in enumerate(in_chunks(lines, CHUNK)):
            pairs = self._finished(some)
            signature = hashlib.sha256(repr((step, pairs)).encode("utf-8", "surrogatepass")).hexdigest()[:16]
            if known.get(number) == signature:
                yield Chunk(number, None, signature)
            else:
                yield Chunk(number, self._entries(pairs), signature)

    def _finished(self, lines: list[Line]) -> list[tuple[Line, Record]]:
        records = self._ledger.records_of(line.row for line in lines)
        return [
            (line, record)
            for line in lines
            if (record := records.get(line.row)) is not None and record.state in _FINISHED
        ]

    def _entries(self, pairs: list[tuple[Line, Record]]) -> list[Entry]:
        base = str(self.source.base.absolute())
        rows = ((self._parser.parse(line), record) for line, record in pairs)
        return [
            entry_of(row, record, self.settings, base)
            for row, record in rows
            if answers_this(row, record) and row.kept == (record.state is State.KEPT)
        ]
