"""The output jsonl: the input, line by line, with what became of each row added last."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from producer.collecting.columns import Columns
from producer.rows.lines import read_lines
from producer.rows.parser import Row
from producer.rows.remarks import Remarks
from producer.run.opening import Run
from producer.run.records import Record, State
from worker.contract.errors import RunError
from worker.pictures.durable import sync_folder


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
    columns, remarks, unanswered = (
        Columns(run.settings, run.folder, path.parent),
        Remarks(run.settings, run.source.base),
        0,
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            for row, record in _answers(run):
                unanswered += record is None
                remarks.add(row)
                file.write(columns.line(row, record) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise RunError(f"The output {path} cannot be written: {error.strerror or error}.") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return Written(unanswered, [*remarks.sentences(run.ledger.warnings(), columns.first), *columns.sentences()])


def _answers(run: Run) -> Iterator[tuple[Row, Record | None]]:
    """Pair each row of the input with its answer: None where there is none, or only one to an older form of the row."""
    parser, records = run.parser, run.ledger.records()
    record = next(records, None)
    for line in read_lines(run.source.path):
        row = parser.parse(line)
        while record is not None and record.row < line.row:
            record = next(records, None)
        if record is None or record.row != line.row or not answers_this(row, record):
            yield row, None
        else:
            yield row, record


def answers_this(row: Row, record: Record) -> bool:
    """Tell whether what the ledger remembers is of this very form of a row, and an answer to it."""
    if row.request is None:
        return record.fingerprint is None
    return record.fingerprint == row.request.fingerprint and record.state in {State.DONE, State.FAILED}
