"""The output jsonl: the input, line by line, with what became of each row added last."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from producer.collecting.columns import Columns
from producer.rows.lines import Line, in_chunks, read_lines
from producer.rows.parser import Row
from producer.rows.remarks import Remarks
from producer.run.as_sent import Reading
from producer.run.ledger import Ledger
from producer.run.opening import Run
from producer.run.records import Record, State
from worker.contract.errors import RunError
from worker.pictures.durable import sync_folder

#: Lines per look into the ledger.
_CHUNK: Final = 1000

_ANSWERED: Final = frozenset({State.DONE, State.FAILED})


class Written(NamedTuple):
    """What was found while the output was written."""

    #: Rows that have no answer yet.
    unanswered: int
    #: What is to be said of the rows as a whole.
    sentences: list[str]


def write_output(run: Run, path: Path) -> Written:
    """Write the output jsonl in the input's order, whole or not at all.

    Raises:
        RunError: the file cannot be written.

    """
    if not run.source.path.is_file():
        raise RunError(f"The input {run.source.path} of the run {run.folder} is gone; put it back and collect again.")
    path = path.resolve()  # a link stays a link
    # The run's own: what a command that was killed has left is overwritten by the next.
    temporary = path.with_name(f".{path.name}.{run.ledger.run}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        written = _written(run, temporary, path.parent)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise RunError(f"The output {path} cannot be written: {error.strerror or error}.") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return written


def _written(run: Run, path: Path, beside: Path) -> Written:
    """Write all lines to a file: first as if the input were still what was sent; once more where it was not."""
    for reading in (Reading(run), None) if Reading.is_known(run) else (None,):
        columns, remarks = Columns(run.settings, run.folder, beside), Remarks(run.settings, run.source.base)
        unanswered = 0
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for text, is_answered in _texts(run, columns, remarks, reading):
                unanswered += not is_answered
                file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        if reading is None or reading.is_as_sent():
            break
    return Written(unanswered, [*remarks.sentences(run.ledger.warnings(), columns.first), *columns.sentences()])


def _texts(run: Run, columns: Columns, remarks: Remarks, reading: Reading | None) -> Iterator[tuple[str, bool]]:
    """Iterate over the output's lines, each with whether its row is answered.

    None where there is no answer, or only one to an older form of the row. Where the whole input is as it was sent, a
    row without a warning need not be made again to know that: the ledger has this very form.
    """
    parser, lines = run.parser, read_lines(run.source.path)
    for line, record, is_warned in _paired(lines if reading is None else reading.through(lines), run.ledger):
        text = None
        if reading is not None and not is_warned and record is not None and _is_of_a_worker(record):
            text = columns.plain_line(line, record)
        if text is not None:
            remarks.rows += 1
            yield text, True
            continue
        row = parser.parse(line)
        remarks.add(row)
        is_answered = record is not None and answers_this(row, record)
        yield columns.line(row, record if is_answered else None), is_answered


def _paired(lines: Iterable[Line], ledger: Ledger) -> Iterator[tuple[Line, Record | None, bool]]:
    """Pair each row of the input with what the ledger has of it."""
    for chunk in in_chunks(lines, _CHUNK):
        said = ledger.said(line.row for line in chunk)
        for line in chunk:
            yield line, *said.get(line.row, (None, False))


def _is_of_a_worker(record: Record) -> bool:
    return record.fingerprint is not None and record.state in _ANSWERED


def answers_this(row: Row, record: Record) -> bool:
    """Tell whether what the ledger remembers is of this very form of a row, and an answer to it."""
    if row.request is None:
        return record.fingerprint is None
    return record.fingerprint == row.request.fingerprint and record.state in _ANSWERED
