"""Runs that have ended, as far as a gallery sees: an input, a ledger, and pictures; nobody has edited anything."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from PIL import Image

from producer.rows.lines import read_lines
from producer.rows.numbered import header, numbered_line
from producer.rows.parser import Row
from producer.rows.source import taken
from producer.run import opening
from producer.run.open_run import Run
from producer.run.records import Entry, State
from tests.support.cli import row as edit
from worker.contract.messages import Outcome
from worker.contract.row_warnings import RowWarning
from worker.pictures.files import sample_paths, turn_paths
from worker.settings.fleet import load_settings

RED, BLUE = (200, 30, 40), (40, 60, 210)

_NOTHING: Final[Mapping[int, Any]] = MappingProxyType({})


def picture(path: Path, colour: tuple[int, int, int] = RED, size: tuple[int, int] = (60, 40)) -> str:
    """Save a picture of one colour; return its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path.name


def edits(number: int, image: str = "a.png") -> list[dict[str, Any]]:
    """Make so many rows of one picture."""
    return [edit(image, f"Edit number {n}.") for n in range(number)]


def run_of(
    here: Path,
    rows: Collection[Any],
    *,
    failed: Mapping[int, str] = _NOTHING,
    waiting: Collection[int] = (),
    warned: Mapping[int, RowWarning] = _NOTHING,
    seconds: Mapping[int, float] = _NOTHING,
    model: str = "demo",
    numbers: Sequence[int] | None = None,
    **given: Any,
) -> Path:
    """Write an input into a folder, and the run `run` beside it in which every good row was answered.

    `failed`: what is wrong with rows; `waiting`: rows without an answer yet; `warned`: what the worker says of rows;
    `seconds`: what rows took, else a second; `numbers`: the rows' own. Called again, it answers what has been waiting.
    """
    source = here / "in.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in rows]
    if numbers is None:
        source.write_text("".join(text + "\n" for text in texts), "utf-8")
    else:
        source.write_bytes(header() + b"".join(map(numbered_line, numbers, texts)))
    folder = here / "run"
    settings = load_settings(diffuser_model_name=model, **given)
    with taken(source, folder) as input_, opening.create(input_, folder, settings, "submit") as run:
        run.remember()
        parsed = [run.parser.parse(line) for line in read_lines(source)]
        run.ledger.note([_noted(row) for row in parsed])
        answered = [row for row in parsed if row.request is not None and row.line.row not in waiting]
        run.ledger.apply([_answer(run, row, failed, warned, seconds) for row in answered])
    return folder


def _noted(row: Row) -> Entry:
    if row.request is not None:
        return Entry(row.line.row, row.request.fingerprint, State.NOTED, warnings=row.warnings)
    return Entry(row.line.row, None, State.KEPT if row.kept else State.FAILED, row.error, row.warnings)


def _answer(
    run: Run,
    row: Row,
    failed: Mapping[int, str],
    warned: Mapping[int, RowWarning],
    seconds: Mapping[int, float],
) -> Outcome:
    number, request = row.line.row, row.request
    assert request is not None
    paths, earlier = sample_paths(request), turn_paths(request)
    if number not in failed:
        for path in (*paths, *earlier):
            if not (run.folder / path).exists():
                picture(run.folder / path, BLUE)
    return Outcome(
        run=run.ledger.run,
        row=number,
        fingerprint=request.fingerprint,
        status="failed" if number in failed else "done",
        paths=() if number in failed else paths,
        earlier_paths=() if number in failed else earlier,
        error=failed.get(number),
        seed=request.seed,
        steps=request.steps,
        seconds={"decode": 0.01, "model": seconds.get(number, 1.0)},
        worker="gpu0@here",
        batch_size=1,
        batch_limit=4,
        bucket=(304, 208),
        warnings=(warned[number],) if number in warned else (),
    )


def data_of(folder: Path) -> dict[str, Any]:
    """Return what a run's page says of the run."""
    return _argument((folder / "gallery/data/run.js").read_text("ascii"), 0)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Return what a run's page says of its rows."""
    chunks = [folder / "gallery/data" / chunk["name"] for chunk in data_of(folder)["chunks"]]
    return [row for chunk in chunks for row in _argument(chunk.read_text("ascii"), 1)]


def _argument(script: str, index: int) -> Any:
    _, _, arguments = script.removesuffix(");\n").partition("(")
    return json.loads(f"[{arguments}]")[index]
