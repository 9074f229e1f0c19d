"""Collecting: outcomes go from the run's stream into the ledger, and from the ledger into the output jsonl."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from producer.jsontext import encode, splice
from producer.progress import Rate, Reporter, Status, status_of
from producer.records import Record, State
from producer.rows import Row, RowParser, read_lines
from producer.run import Run
from worker.durable import sync_folder
from worker.errors import RunError
from worker.outcomes import Entry

#: Seconds after the first outcome at which the collector commits what it has.
_PATIENCE = 1.0


class Collector:
    """Moves a run's outcomes into its ledger."""

    def __init__(self, run: Run, report: Reporter) -> None:
        self._run = run
        self._report = report
        self._rate = Rate()

    def step(self, patience: float = _PATIENCE) -> Status:
        """Commit the next outcomes, waiting at most `patience` seconds for them; then delete them from Redis."""
        run = self._run
        entries = run.stream.read(want=run.settings.save_interval, patience=patience)
        outcomes = [entry.outcome for entry in entries if entry.outcome is not None]
        if outcomes:
            run.ledger.apply(outcomes)
            self._rate.add(len(outcomes))
        return self._committed(entries)

    def publish(self) -> None:
        """Publish the ledger's counts, which marks that Redis holds the run's rows."""
        self._run.stream.publish(json.dumps(self.status().as_dict()))

    def _committed(self, committed: Sequence[Entry]) -> Status:
        status = self.status()
        known = self._run.stream.committed(committed, json.dumps(status.as_dict()))
        if not known and status.waiting:
            raise RunError(
                f"Redis came back empty: it holds none of the {status.waiting} unanswered rows of {self._run.folder};"
                " the same command again, or `producer submit`, sends exactly these."
            )
        if committed and not status.waiting:
            self._run.stream.finished()
        return status

    def status(self) -> Status:
        """Return, and report, the ledger's counts."""
        status = status_of(self._run.ledger, self._rate.per_second())
        self._report(status)
        return status

    def drain(self) -> Status:
        """Commit everything that is there now, without waiting for more."""
        while self._run.ledger.unanswered and len(self._run.stream):
            self.step(0.001)
        return self.status()

    def follow(self, check: Callable[[Status], None]) -> Status:
        """Collect until no row is unanswered. `check` is called before each step, and may raise to stop."""
        status = self.drain()
        while status.waiting:
            check(status)
            status = self.step()
        return status


def write_output(run: Run, path: Path) -> int:
    """Write the output jsonl in the input's order, whole or not at all; return how many rows have no answer yet.

    Raises:
        RunError: the file cannot be written.

    """
    if not run.input_path.is_file():
        raise RunError(f"The input {run.input_path} of the run {run.folder} is gone; put it back and collect again.")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            unanswered = 0
            for row, record in _answers(run):
                unanswered += record is None
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
    return unanswered


def _answers(run: Run) -> Iterator[tuple[Row, Record | None]]:
    """Pair each row of the input with its answer: None where there is none, or only one to an older form of the row."""
    parser = RowParser(run.settings, run=run.ledger.run, input_path=run.input_path, run_dir=run.folder)
    records = run.ledger.records()
    record = next(records, None)
    for line in read_lines(run.input_path):
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
    if (error := row.error or found.get("error")) is not None:
        added["error"] = error
    if row.fields is None:
        return encode({"raw": row.line.text, **added})
    return splice(row.line.text, drop=_replaced(run, row, added), add=added)


def _replaced(run: Run, row: Row, added: Mapping[str, Any]) -> set[str]:
    """Name the user's fields that give way to ours. An old error goes with the empty output that it explained."""
    came_back = row.fields is not None and run.settings.output_image_key in row.fields
    return {*added, "error"} if came_back else set(added)


def _join(folder: Path, path: str) -> str:
    text = os.path.join(folder, path)  # noqa: PTH118 - Path would drop the "./" of a relative one
    return text if text.startswith(("/", "./", "../")) else f"./{text}"
