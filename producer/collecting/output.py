"""The output: the input, row by row, with what became of each row added last; a jsonl, unless its name says more."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from producer.collecting.columns import Columns
from producer.collecting.details import DETAILS
from producer.collecting.table_images import Embedding
from producer.rows.lines import Line, in_chunks, read_lines
from producer.rows.parser import Row
from producer.rows.remarks import Remarks
from producer.run.as_sent import Reading
from producer.run.ledger import Ledger
from producer.run.open_run import Run
from producer.run.output_place import Form
from producer.run.records import Record, State
from worker.contract.errors import RunError
from worker.pictures.durable import sync_folder

#: Lines per look into the ledger.
_CHUNK: Final = 1000

_ANSWERED: Final = frozenset({State.DONE, State.FAILED})


class _Ends(NamedTuple):
    """What stands before, between and after the texts of rows."""

    begin: str = ""
    between: str = "\n"
    end: str = "\n"


_ENDS: Final = {Form.LINES: _Ends(), Form.ARRAY: _Ends("[\n", ",\n", "\n]\n"), Form.PARQUET: _Ends()}


class Written(NamedTuple):
    """What was found while the output was written."""

    #: Rows that have no answer yet.
    unanswered: int
    #: What is to be said of the rows as a whole.
    sentences: list[str]


def write_output(run: Run, path: Path) -> Written:
    """Write the output in the input's order, whole or not at all, in the form that its name says.

    Raises:
        RunError: the file cannot be written.

    """
    if not run.source.path.is_file():
        raise RunError(f"The input {run.source.path} of the run {run.folder} is gone; put it back and collect again.")
    path = path.resolve()  # a link stays a link
    # The run's own: what a command that was killed has left is overwritten by the next.
    temporary = path.with_name(f".{path.name}.{run.ledger.run}.tmp")
    rows = path.with_name(f".{path.name}.{run.ledger.run}.rows.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        form = Form.of(path)
        written = _written(run, rows if form is Form.PARQUET else temporary, path.parent, _ENDS[form])
        if form is Form.PARQUET:
            written.sentences.extend(_as_table(run, rows, temporary, path.parent))
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise RunError(f"The output {path} cannot be written: {error.strerror or error}.") from None
    finally:
        for left in (temporary, rows):
            with suppress(OSError):
                left.unlink(missing_ok=True)
    return written


def _as_table(run: Run, rows: Path, path: Path, beside: Path) -> list[str]:
    """Write the rows of a jsonl as parquet; return what there is to say of it."""
    from producer.collecting.table import Table  # noqa: PLC0415 - what it imports is not in the base install

    settings = run.settings
    embedding = None
    if settings.output_images == "bytes":
        # Where ours begin, as they are shown; then where the user's own may.
        ours = beside if settings.output_paths == "relative" else Path.cwd()
        embedding = Embedding([ours, run.source.base, Path.cwd()], settings.pictures)
    columns = [settings.output_image_key, settings.output_error_key, settings.output_warning_key, DETAILS]
    table = Table(rows, columns, embedding, paths=settings.input_image_key)
    table.write(path)
    return table.sentences()


def _written(run: Run, path: Path, beside: Path, ends: _Ends) -> Written:
    """Write all lines to a file: first as if the input were still what was sent; once more where it was not."""
    for reading in (Reading(run), None) if Reading.is_known(run) else (None,):
        columns, remarks = Columns(run.settings, run.folder, beside), Remarks(run.settings, run.source.base)
        unanswered = 0
        with path.open("w", encoding="utf-8", newline="\n") as file:
            between = ends.begin
            for text, is_answered in _texts(run, columns, remarks, reading):
                unanswered += not is_answered
                file.write(between + text)
                between = ends.between
            file.write(ends.end)
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
