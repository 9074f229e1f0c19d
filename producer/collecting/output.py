"""The output jsonl: the input, line by line, with each row's images or its error added last."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from typing import Any

from producer.rows.jsontext import encode, splice
from producer.rows.lines import read_lines
from producer.rows.parser import Row
from producer.rows.remarks import Remarks
from producer.run.opening import Run
from producer.run.records import Record, State
from worker.contract.errors import RunError
from worker.pictures.durable import sync_folder


def write_output(run: Run, path: Path) -> tuple[int, Remarks]:
    """Write the output jsonl in the input's order, whole or not at all.

    Returns how many rows have no answer yet, and what is to be said of the rows as a whole.

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
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            unanswered, remarks = 0, Remarks(run.settings, run.source.base)
            for row, record in _answers(run):
                unanswered += record is None
                remarks.add(row)
                file.write(_output_line(run, row, record) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise RunError(f"The output {path} cannot be written: {error.strerror or error}.") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return unanswered, remarks


def _answers(run: Run) -> Iterator[tuple[Row, Record | None]]:
    """Pair each row of the input with its answer: None where there is none, or only one to an older form of the row."""
    parser, records = run.parser, run.ledger.records()
    record = next(records, None)
    for line in read_lines(run.source.path):
        row = parser.parse(line)
        while record is not None and record.row < line.row:
            record = next(records, None)
        if record is None or record.row != line.row or not _answers_this(row, record):
            yield row, None
        else:
            yield row, record


def _answers_this(row: Row, record: Record) -> bool:
    if row.request is None:
        return record.fingerprint is None
    return record.fingerprint == row.request.fingerprint and record.state in {State.DONE, State.FAILED}


def _output_line(run: Run, row: Row, record: Record | None) -> str:
    """Return the input line with `output_image` added last, and `error` after it where there is one."""
    if row.kept:
        return row.line.text
    found: dict[str, Any] = json.loads(record.outcome) if record and record.outcome else {}
    # As the user named the folder, so that the paths hold where they ran the command.
    added: dict[str, Any] = {
        run.settings.output_image_key: [_join(run.folder, path) for path in found.get("paths", ())]
    }
    if (error := row.error or _at_its_line(row, found)) is not None:
        added[run.settings.output_error_key] = error
    if row.fields is None or _would_lose_an_error(run, row, added):
        return encode({"raw": row.line.text, **added})
    return splice(row.line.text, drop=_replaced(run, row, added), add=added)


def _at_its_line(row: Row, found: Mapping[str, Any]) -> str | None:
    """Return a worker's error as one of the input's: workers know rows, people know lines."""
    return f"line {row.line.number}: {found['error']}" if found.get("error") else None


def _replaced(run: Run, row: Row, added: Mapping[str, Any]) -> set[str]:
    """Name the user's fields that give way to ours: namesakes, and an error that an earlier run of ours has written."""
    error = run.settings.output_error_key
    return {*added, error} if _error_in(run, row) is _Error.OURS else set(added)


class _Error(Enum):
    """What stands in a row's error column."""

    NOTHING = auto()
    OURS = auto()
    THEIRS = auto()


def _error_in(run: Run, row: Row) -> _Error:
    fields, settings = row.fields or {}, run.settings
    found = fields.get(settings.output_error_key)
    if found in (None, ""):
        return _Error.NOTHING
    # Only with the empty output beside it: a user's own text may begin like ours.
    is_ours = settings.output_image_key in fields and isinstance(found, str) and re.match(r"line \d+: ", found)
    return _Error.OURS if is_ours else _Error.THEIRS


def _would_lose_an_error(run: Run, row: Row, added: Mapping[str, Any]) -> bool:
    return run.settings.output_error_key in added and _error_in(run, row) is _Error.THEIRS


def _join(folder: Path, path: str) -> str:
    text = os.path.join(folder, path)  # noqa: PTH118 - Path would drop the "./" of a relative one
    return text if text.startswith(("/", "./", "../")) else f"./{text}"
