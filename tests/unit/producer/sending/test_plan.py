"""A plan tells what becomes of each row, and why, before anything is changed."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from producer.rows.lines import Line
from producer.rows.parser import RowParser
from producer.run.decisive import differences
from producer.run.ledger import Ledger
from producer.run.records import Entry, State
from producer.sending.plan import Plan, by_counts, by_rows
from producer.sending.retry import Which, to_retry
from tests.support.cli import row
from worker.contract.messages import Outcome
from worker.settings.fleet import load_settings

BAD: dict[str, Any] = {"images": "a.png"}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Open the ledger of a run."""
    with Ledger(tmp_path) as ledger:
        yield ledger


def parser(**given: Any) -> RowParser:
    """Parse rows with these settings."""
    settings = load_settings(diffuser_model_name="demo", **given)
    return RowParser(settings, run="0" * 16, base=Path("/data"), run_dir=Path("/run"))


def lines(*rows: dict[str, Any]) -> list[Line]:
    """Give rows the numbers of an input."""
    return [Line(number, number + 1, json.dumps(fields)) for number, fields in enumerate(rows)]


def note(ledger: Ledger, of: RowParser, line: Line, state: State) -> None:
    """Let the ledger know a row in a state."""
    request = of.parse(line).request
    assert request is not None
    ledger.note([Entry(line.row, request.fingerprint, State.NOTED)])
    if state is State.NOTED:
        return
    ledger.sent([line.row])
    if state in {State.DONE, State.FAILED}:
        status: Any = "done" if state is State.DONE else "failed"
        answer = {"run": ledger.run, "row": line.row, "fingerprint": request.fingerprint, "worker": "w"}
        ledger.apply([Outcome(status=status, error=None if state is State.DONE else "x", **answer)])


def test_each_row_counts_once(ledger: Ledger) -> None:
    """Rows are counted by what is known of them and by what they are now."""
    given = lines(*(row(f"{n}.png", "x") for n in range(5)), BAD, row("6.png", "x", output_image=["there.png"]))
    for line, state in zip(given, (State.DONE, State.SENT, State.FAILED, State.NOTED), strict=False):
        note(ledger, parser(), line, state)
    plan = by_rows(given, ledger, parser())
    expected = Plan(finished=1, on_their_way=1, failed=1, unsent=1, new=1, bad=1, kept=1, is_exact=True, steps=3 * 8)
    assert plan == expected
    assert plan.total == len(given)
    assert plan.to_edit == 3


def test_what_was_on_its_way_to_a_redis_that_is_gone_is_to_be_edited(ledger: Ledger) -> None:
    """Nothing of it is finished, and so no option loses it."""
    given = lines(*(row(f"{n}.png", "x") for n in range(2)))
    for line, state in zip(given, (State.DONE, State.SENT), strict=True):
        note(ledger, parser(), line, state)
    expected = Plan(finished=1, unsent=1, is_exact=True, steps=8)
    assert by_rows(given, ledger, parser(), is_gone=True) == expected
    plan = by_rows(given, ledger, parser(seed=7), parser(), ("because",), is_gone=True)
    assert (plan.lost, plan.unsent) == (1, 1)
    assert by_counts(2, ledger.states(), is_gone=True) == Plan(finished=1, unsent=1)


def test_what_a_line_changes_is_no_loss(ledger: Ledger) -> None:
    """A finished row whose line has changed is edited again as its owner wishes."""
    note(ledger, parser(), lines(row("0.png", "x"))[0], State.DONE)
    plan = by_rows(lines(row("0.png", "y")), ledger, parser(), parser(), ())
    assert (plan.changed, plan.lost) == (1, 0)


@pytest.mark.parametrize("state", [State.DONE, State.SENT])
@pytest.mark.parametrize(
    "now",
    [{"seed": 7}, {"diffuser_num_inference_steps": 3}, {"input_image_key": "other"}, {"output_image_key": "made"}],
    ids=lambda now: next(iter(now)),
)
def test_what_an_option_changes_is_lost(ledger: Ledger, state: State, now: dict[str, Any]) -> None:
    """A row that is finished or on its way, and would be another, or none, by an option alone, is work lost."""
    given = lines(row("0.png", "x", made=["there.png"]))
    note(ledger, parser(), given[0], state)
    plan = by_rows(given, ledger, parser(**now), parser(), ("because",))
    assert (plan.lost, plan.total, plan.because) == (1, 1, ("because",))


def test_a_rows_own_parameter_is_not_touched(ledger: Ledger) -> None:
    """A row that names its own seed is finished, whatever the run's seed is now."""
    given = lines(row("0.png", "x", edit={"seed": 5}), row("1.png", "x"))
    for line in given:
        note(ledger, parser(), line, State.DONE)
    plan = by_rows(given, ledger, parser(seed=7), parser(), ("because",))
    assert (plan.finished, plan.lost) == (1, 1)


def test_without_a_ledger_all_is_new() -> None:
    """Of a run that is not there yet every good row is new."""
    plan = by_rows(lines(row("0.png", "x"), BAD), None, parser())
    assert (plan.new, plan.bad, plan.total) == (1, 1, 2)


def test_counts_are_a_plan() -> None:
    """Where no option has changed, the ledger's counts and the input's length tell what is to be done."""
    states = Counter({State.DONE: 4, State.FAILED: 3, State.SENT: 2, State.NOTED: 1, State.KEPT: 5})
    plan = by_counts(17, states)
    assert plan == Plan(new=2, failed=3, unsent=1, finished=4, on_their_way=2, kept=5)
    assert by_counts(3, Counter()) == Plan(new=3)
    assert by_counts(1, Counter({State.DONE: 4})).new == 0  # the input is shorter now


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (Which.FAILED, Plan(failed=3, unsent=1, finished=4, on_their_way=2)),
        (Which.UNANSWERED, Plan(unsent=3, finished=4, bad=3)),
        (Which.ALL, Plan(failed=3, unsent=3, finished=4)),
    ],
)
def test_a_retry_has_a_plan(which: Which, expected: Plan) -> None:
    """What is tried again is known from the counts."""
    states = Counter({State.DONE: 4, State.FAILED: 3, State.SENT: 2, State.NOTED: 1})
    assert to_retry(states, which) == expected


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ({}, {"seed": 7}, ("--seed was 0, is 7",)),
        ({"image_format": "jpg"}, {"image_format": "jpg", "quality": 80}, ("--quality was 95, is 80",)),
        ({}, {"quality": 80}, ()),  # PNG has none
        ({}, {"diffuser_num_inference_steps": 8}, ()),  # the model's own, said aloud
        ({"size": "256x256"}, {"size": "257x257"}, ()),  # rounded to the same
        ({}, {"output_error_key": "wrong", "long_instruction": "error", "save_interval": 9}, ()),
        ({}, {"metadata": False, "size": "input"}, ("--size was auto, is input", "--metadata was on, is off")),
    ],
)
def test_options_that_decide_pictures(before: dict[str, Any], now: dict[str, Any], said: tuple[str, ...]) -> None:
    """Only options that make other pictures count, each with what it was and is."""
    earlier, settings = (load_settings(diffuser_model_name="demo", **given) for given in (before, now))
    assert differences(earlier, settings) == said


def test_paths_that_begin_elsewhere_are_other_pictures() -> None:
    """However that came: by --images-from, or since a stream is read in another folder."""
    settings = load_settings(diffuser_model_name="demo")
    assert differences(settings, settings, Path("/a"), Path("/a")) == ()
    assert differences(settings, settings, Path("/a"), Path("/b")) == ("--images-from was /a, is /b",)


def test_another_task_is_another_run() -> None:
    """It decides pictures as no other option does, and has another size of its own."""
    earlier, settings = (
        load_settings(diffuser_model_name="tiny-klein", image_gen_task=task) for task in ("imageedit", "text2image")
    )
    said = ("--task was imageedit, is text2image", "--size was auto, is 256x256")
    assert differences(earlier, settings) == said
