"""An input that is as it was sent is told from every other, and only rows that were made from it are taken for it."""

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from producer.collecting.output import write_output
from producer.rows.lines import read_lines
from producer.rows.numbers import Numbers
from producer.rows.source import taken
from producer.run import opening
from producer.run.as_sent import Reading
from producer.run.open_run import Run
from producer.run.records import Entry, State
from worker.contract.messages import Outcome
from worker.settings.fleet import load_settings

LINE = '{"images": "a.png", "conversations": ["Make it red."]}\n'
OTHER = LINE.replace("red", "blue")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Open a run of two rows that are done, and whose input is known to be as it was sent."""
    named = tmp_path / "in.jsonl"
    named.write_text(LINE * 2)
    settings = load_settings(diffuser_model_name="demo")
    with taken(named, tmp_path) as source, opening.create(source, tmp_path / "r", settings, "submit") as run:
        run.remember()
        note(run)
        done = {"status": "done", "worker": "w", "run": run.ledger.run}
        run.ledger.apply([Outcome(row=row, fingerprint=form or "", **done) for row, form in forms(run).items()])
        reading(run).remember()
        yield run


def forms(run: Run) -> dict[int, str | None]:
    """Return the fingerprints of the input's rows."""
    rows = map(run.parser.parse, read_lines(run.source.path))
    return {row.line.row: row.request and row.request.fingerprint for row in rows}


def note(run: Run) -> None:
    """Have the ledger take note of the rows, as submitting does."""
    run.ledger.note([Entry(row, form, State.NOTED) for row, form in forms(run).items()])


def reading(run: Run) -> Reading:
    """Read the input to its end."""
    found = Reading(run)
    deque(found.through(read_lines(run.source.path)), maxlen=0)
    return found


def unanswered(run: Run) -> int:
    """Write the output; return how many rows have no answer in their present form."""
    return write_output(run, run.output_path).unanswered


def test_the_same_input_is_as_it_was_sent(run: Run) -> None:
    """And every row of it has its answer."""
    assert reading(run).is_as_sent()
    assert unanswered(run) == 0


@pytest.mark.parametrize("text", [LINE + OTHER, LINE, LINE * 3, LINE + "\n" + LINE.replace('"a', ' "a')])
def test_any_other_line_is_noticed(run: Run, text: str) -> None:
    """One that changed, is gone, came new, or has one blank more."""
    run.source.path.write_text(text)
    assert not reading(run).is_as_sent()


def test_a_changed_row_has_no_answer(run: Run) -> None:
    """What was written as if nothing had changed is written once more."""
    run.source.path.write_text(LINE + OTHER)
    assert unanswered(run) == 1


def test_an_input_that_changes_while_it_is_read_is_noticed(run: Run) -> None:
    """What counts is what was read, and not what was there before it or after it."""
    found = Reading(run)
    lines = found.through(read_lines(run.source.path))
    next(lines)
    run.source.path.write_text(OTHER * 2)
    run.source.path.write_text(LINE * 2)
    assert not found.is_as_sent()
    deque(lines, maxlen=0)
    assert found.is_as_sent()


@pytest.mark.parametrize(
    "change",
    [
        lambda run: run.ledger.note([Entry(1, "b" * 32, State.NOTED)]),
        lambda run: run.ledger.note([Entry(2, "b" * 32, State.NOTED)]),
        lambda run: run.ledger.forget_others(Numbers([0])),
        lambda run: run.ledger.put("settings", run.ledger.get("settings").replace('"seed":0', '"seed":1')),
    ],
    ids=["another row", "a new row", "fewer rows", "another setting"],
)
def test_a_ledger_with_other_rows_has_no_such_input(run: Run, change: Callable[[Run], None]) -> None:
    """Until the next submission has gone through all of it; not even where the file is again what it was."""
    change(run)
    assert not reading(run).is_as_sent()


def test_rows_that_are_tried_again_are_the_same_rows(run: Run) -> None:
    """The ledger has them as they were."""
    run.ledger.undo([1])
    note(run)
    assert reading(run).is_as_sent()
    assert unanswered(run) == 1


def test_a_row_with_another_seed_has_no_answer(run: Run) -> None:
    """It is not sent yet."""
    run.ledger.undo([1], seeds={1: 7})
    assert unanswered(run) == 1
