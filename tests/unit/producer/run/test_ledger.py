"""The run folder's memory: what a row has been through, and nothing twice."""

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from producer.rows.numbers import Numbers
from producer.run.ledger import Ledger
from producer.run.records import Entry, Noted, State
from worker.contract.messages import Outcome
from worker.contract.row_warnings import RowWarning

A, B = "a" * 32, "b" * 32


def noted(row: int, fingerprint: str = A) -> Entry:
    """Make the entry of a row to send."""
    return Entry(row, fingerprint, State.NOTED)


def outcome(row: int = 0, fingerprint: str = A, *, failed: bool = False, size: int = 4, worker: str = "w1") -> Outcome:
    """Make the answer to a row, from a batch of `size` where a full one holds 4."""
    return Outcome(
        run="0" * 16,
        row=row,
        fingerprint=fingerprint,
        status="failed" if failed else "done",
        error="Broken." if failed else None,
        batch_size=size or None,
        batch_limit=4 if size else None,
        worker=worker,
    )


def state(ledger: Ledger, row: int = 0) -> State:
    """Return where a row stands."""
    return next(record.state for record in ledger.records() if record.row == row)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Return an empty ledger, in a folder whose name is hard on URIs."""
    folder = tmp_path / "a b?c#d%20é"
    folder.mkdir()
    with Ledger(folder) as ledger:
        yield ledger


@pytest.mark.parametrize(("failed", "end"), [(False, State.DONE), (True, State.FAILED)])
def test_a_rows_life(ledger: Ledger, *, failed: bool, end: State) -> None:
    """A row is noted, sent and answered, and each step is remembered."""
    assert ledger.note([noted(0)]).wanted == {0}
    assert state(ledger) is State.NOTED
    ledger.sent([0])
    assert state(ledger) is State.SENT
    ledger.apply([outcome(failed=failed)])
    [record] = ledger.records()
    assert record == (0, A, end, 1, outcome(failed=failed).encode())


def test_rows_that_cannot_be_sent(ledger: Ledger) -> None:
    """A bad row has failed at once, a kept one is remembered as such, and neither is sent."""
    entries = [Entry(0, None, State.FAILED, 'line 1: "x" is bad.'), Entry(1, None, State.KEPT)]
    assert ledger.note(entries).wanted == set()
    assert [(record.state, record.outcome) for record in ledger.records()] == [
        (State.FAILED, '{"error": "line 1: \\"x\\" is bad."}'),
        (State.KEPT, None),
    ]


@pytest.mark.parametrize(
    ("reach", "sent_again"),
    [
        ([], True),  # noted, but the producer died before it was sent
        (["sent"], False),  # on its way
        (["sent", "done"], False),
        (["done"], False),  # answered, though the producer died before it noted the sending
        (["sent", "failed"], True),  # its file may be there by now
        (["sent", "recall"], True),  # its message is lost
    ],
)
def test_the_same_row_again(ledger: Ledger, reach: list[str], *, sent_again: bool) -> None:
    """A row that did not change is sent again only where nobody works on it and it is not done."""
    steps: dict[str, Callable[[], None]] = {
        "sent": lambda: ledger.sent([0]),
        "done": lambda: ledger.apply([outcome()]),
        "failed": lambda: ledger.apply([outcome(failed=True)]),
        "recall": ledger.recall,
    }
    ledger.note([noted(0)])
    for step in reach:
        steps[step]()
    assert (ledger.note([noted(0)]).wanted == {0}) is sent_again


@pytest.mark.parametrize("answered", [False, True])
def test_a_changed_row_is_sent_again(ledger: Ledger, *, answered: bool) -> None:
    """A row with another fingerprint is sent, whether the old one was answered or not, and the old answer is gone."""
    ledger.note([noted(0)])
    ledger.sent([0])
    ledger.apply([outcome()] if answered else [])
    assert ledger.note([noted(0, B)]).wanted == {0}
    [record] = ledger.records()
    assert (record.fingerprint, record.state, record.outcome) == (B, State.NOTED, None)


def test_only_what_is_new_is_sent(ledger: Ledger) -> None:
    """Of a chunk only the new and the changed rows are sent."""
    ledger.note([noted(row) for row in range(4)])
    ledger.sent(range(4))
    ledger.apply([outcome(0), outcome(1)])
    assert ledger.note([noted(0), noted(1, B), noted(2), noted(3, B), noted(4)]).wanted == {1, 3, 4}


def test_an_older_form_on_its_way_is_superseded(ledger: Ledger) -> None:
    """Workers are to drop the older form of a row wherever it may have been sent and is unanswered."""
    ledger.note([noted(row) for row in range(6)])
    ledger.sent([0, 1, 2, 3])
    ledger.apply([outcome(3)])
    # 0: changed, 1: turned bad, 2: the same as before, 3: answered, 4: perhaps sent before a crash
    again = [noted(0, B), Entry(1, None, State.FAILED, "Bad."), noted(2), noted(3, B), noted(4, B), noted(5)]
    assert ledger.note(again).superseded == {0: B, 1: "", 4: B}


def test_a_crash_before_the_announcement_forgets_nothing(ledger: Ledger) -> None:
    """If the change of a row cannot be announced, the ledger still holds its older form."""

    def fail(_: Noted) -> None:
        raise ConnectionError

    ledger.note([noted(0)])
    ledger.sent([0])
    with pytest.raises(ConnectionError):
        ledger.note([noted(0, B)], fail)
    assert ledger.note([noted(0, B)]).superseded == {0: B}


def test_an_outcome_twice_changes_nothing(ledger: Ledger) -> None:
    """A row that was delivered twice is answered once, by the first answer."""
    ledger.note([noted(0)])
    ledger.sent([0])
    ledger.apply([outcome(worker="w1")])
    before = list(ledger.records()), ledger.tally(), ledger.states()
    ledger.apply([outcome(worker="w1"), outcome(worker="w2", failed=True)])
    assert (list(ledger.records()), ledger.tally(), ledger.states()) == before


def test_a_stale_outcome_never_wins(ledger: Ledger) -> None:
    """The answer to an older form of a row, or to a row that is no more, is ignored."""
    ledger.note([noted(0, A)])
    ledger.note([noted(0, B)])
    ledger.sent([0])
    ledger.apply([outcome(0, A), outcome(7, A)])
    assert state(ledger) is State.SENT
    assert ledger.tally() == {}
    ledger.apply([outcome(0, B)])
    assert state(ledger) is State.DONE


def test_rows_beyond_the_input_are_forgotten(ledger: Ledger) -> None:
    """A row that the input no longer has is no longer counted."""
    ledger.note([noted(row) for row in range(5)])
    ledger.forget_others(Numbers(range(2)))
    assert [record.row for record in ledger.records()] == [0, 1]
    assert ledger.unanswered == 2


def test_recall_concerns_unanswered_rows_only(ledger: Ledger) -> None:
    """After a loss in Redis the sent rows are to be sent again, and the answered ones are not."""
    ledger.note([noted(row) for row in range(3)])
    ledger.sent(range(3))
    ledger.apply([outcome(0), outcome(1, failed=True)])
    ledger.recall()
    assert [record.state for record in ledger.records()] == [State.DONE, State.FAILED, State.NOTED]


def test_recall_leaves_what_is_on_its_way_nevertheless(ledger: Ledger) -> None:
    """A row that a worker holds still counts as sent, in the form that it holds; so does one nobody noted as sent."""
    ledger.note([noted(row) for row in range(5)])
    ledger.sent([0, 1, 2, 4])
    ledger.apply([outcome(4)])
    ledger.recall(but=[(1, A), (2, B), (3, A), (4, A), (9, A)])
    states = [State.NOTED, State.SENT, State.NOTED, State.SENT, State.DONE]
    assert [record.state for record in ledger.records()] == states


def test_a_row_that_is_sent_again_still_counts_as_sent(ledger: Ledger) -> None:
    """Sending a lost row again counts as an attempt and changes nothing else; answered rows are not touched."""
    ledger.note([noted(0), noted(1)])
    ledger.sent([0, 1])
    ledger.apply([outcome(1)])
    ledger.sent_again([0, 1])
    assert [(record.state, record.attempts) for record in ledger.records()] == [(State.SENT, 2), (State.DONE, 1)]


def test_the_forms_of_rows_in_a_state(ledger: Ledger) -> None:
    """Fingerprints are told by state and number, and of rows that could not be sent there is none."""
    ledger.note([noted(0), noted(1, B), Entry(2, None, State.FAILED, "Bad."), noted(3), noted(4)])
    ledger.sent([0, 1, 4])
    assert ledger.forms({State.SENT}, range(4)) == {0: A, 1: B}
    assert ledger.forms({State.NOTED, State.FAILED}, [9, 3, 2, 1]) == {2: None, 3: A}


def test_rows_far_apart_are_noted_together(ledger: Ledger) -> None:
    """Rows to note need not follow one another, and those between them are left alone."""
    ledger.note([noted(row) for row in range(5)])
    ledger.sent(range(5))
    ledger.apply([outcome(row, failed=True) for row in range(5)])
    assert ledger.note([noted(0), noted(4)]).wanted == {0, 4}
    assert ledger.states() == {State.NOTED: 2, State.FAILED: 3}


def test_attempts_are_counted(ledger: Ledger) -> None:
    """Each time a row is sent counts."""
    for _ in range(3):
        ledger.note([noted(0)])
        ledger.sent([0])
        ledger.apply([outcome(failed=True)])
    assert [record.attempts for record in ledger.records()] == [3]


def test_the_tally(ledger: Ledger) -> None:
    """Answers are counted by worker, in batches and in full batches; a row without a batch is in neither."""
    ledger.note([noted(row) for row in range(4)])
    ledger.apply([outcome(0), outcome(1, size=3), outcome(2, worker="w2", size=0), outcome(3, worker="w2")])
    assert ledger.tally() == {"worker:w1": 2, "worker:w2": 2, "batched": 3, "full": 2}


def test_a_broken_transaction_leaves_no_trace(ledger: Ledger) -> None:
    """If one outcome of several cannot be had, none is recorded, and the ledger goes on."""

    def broken() -> Iterator[Outcome]:
        yield outcome(0)
        raise RuntimeError("connection lost")

    ledger.note([noted(0), noted(1)])
    ledger.sent([0, 1])
    before = list(ledger.records()), ledger.states(), ledger.tally()
    with pytest.raises(RuntimeError, match="connection lost"):
        ledger.apply(broken())
    assert (list(ledger.records()), ledger.states(), ledger.tally()) == before
    ledger.apply([outcome(0)])
    assert ledger.states() == {State.DONE: 1, State.SENT: 1}


def test_it_survives_reopening(tmp_path: Path) -> None:
    """Run, facts, rows and tally are there again for the next process."""
    with Ledger(tmp_path) as ledger:
        ledger.put("input", "/x.jsonl")
        ledger.note([noted(0), noted(1)])
        ledger.apply([outcome(0)])
        before = ledger.run, ledger.get("input"), list(ledger.records()), ledger.tally()
    with Ledger(tmp_path) as ledger:
        assert (ledger.run, ledger.get("input"), list(ledger.records()), ledger.tally()) == before
        assert ledger.get("no such fact") is None


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_always_fresh(tmp_path: Path, seed: int) -> None:
    """After any operation the counts are those that a newly opened ledger finds."""
    rng = random.Random(seed)  # noqa: S311 - a random walk, no secret

    def some() -> list[int]:
        return sorted(rng.sample(range(12), rng.randint(1, 6)))

    def entry(row: int) -> Entry:
        fate = rng.choice([State.NOTED] * 4 + [State.FAILED, State.KEPT])
        return noted(row, rng.choice([A, B])) if fate is State.NOTED else Entry(row, None, fate)

    def answer(row: int) -> Outcome:
        return outcome(row, rng.choice([A, B]), failed=rng.random() < 0.3, size=rng.choice([0, 2, 4]))

    with Ledger(tmp_path) as ledger:
        operations: list[Callable[[], object]] = [
            lambda: ledger.note([entry(row) for row in some()]),
            lambda: ledger.sent(some()),
            lambda: ledger.apply([answer(row) for row in some() * 2]),
            ledger.recall,
            lambda: ledger.recall(but=[(row, rng.choice([A, B])) for row in some()]),
            lambda: ledger.sent_again(some()),
            lambda: ledger.forget_others(Numbers(record.row for record in ledger.records() if rng.random() < 0.8)),
        ]
        seen: Counter[State] = Counter()
        for _ in range(150):
            rng.choices(operations, [6, 6, 6, 1, 1, 2, 1])[0]()
            with Ledger(tmp_path, read_only=True) as fresh:
                assert +ledger.states() == +fresh.states()
                assert ledger.unanswered == fresh.unanswered
            seen |= ledger.states()
    assert all(seen[state] for state in State)  # the walk saw every state


def warned(row: int, *kinds: RowWarning) -> Outcome:
    """Make an answer that has something to say."""
    return outcome(row).model_copy(update={"warnings": kinds})


def test_warnings_are_counted_by_kind(ledger: Ledger) -> None:
    """What the input and what a worker gave cause to say is counted by kind, and the same when counted anew."""
    ledger.note([Entry(0, A, State.NOTED, warnings=(RowWarning.IMAGES_UNUSED, RowWarning.JSON_TEXT)), noted(1)])
    assert ledger.warnings() == {RowWarning.IMAGES_UNUSED: 1, RowWarning.JSON_TEXT: 1}
    for _ in range(2):  # the second time changes nothing
        ledger.apply([warned(0, RowWarning.INSTRUCTION_CUT), warned(1, RowWarning.INSTRUCTION_CUT)])
    expected = {RowWarning.IMAGES_UNUSED: 1, RowWarning.JSON_TEXT: 1, RowWarning.INSTRUCTION_CUT: 2}
    assert ledger.warnings() == expected
    with Ledger(ledger.path.parent, read_only=True) as anew:
        assert anew.warnings() == expected


def test_a_changed_rows_warnings_are_forgotten(ledger: Ledger) -> None:
    """A row that is noted in a newer form has that form's warnings, and one that is gone has none."""
    ledger.note([Entry(row, A, State.NOTED, warnings=(RowWarning.IMAGES_UNUSED,)) for row in range(3)])
    ledger.apply([warned(0, RowWarning.INSTRUCTION_CUT)])
    ledger.note([Entry(0, B, State.NOTED, warnings=(RowWarning.JSON_TEXT,)), noted(1, B)])
    expected = {RowWarning.IMAGES_UNUSED: 1, RowWarning.JSON_TEXT: 1}
    assert +ledger.warnings() == expected
    ledger.forget_others(Numbers(range(2)))
    assert ledger.warnings() == {RowWarning.JSON_TEXT: 1}


def test_a_folder_of_an_earlier_version_has_room_for_warnings(tmp_path: Path) -> None:
    """A ledger without a place for warnings can be looked at, and gets one when it is opened to be written."""
    with Ledger(tmp_path) as ledger:
        ledger.note([noted(0)])
    with sqlite3.connect(ledger.path) as db:
        db.execute("DROP INDEX rows_by_warnings")
        db.execute("ALTER TABLE rows DROP COLUMN warnings")
    with Ledger(tmp_path, read_only=True) as ledger:
        assert not ledger.warnings()
    with Ledger(tmp_path) as ledger:
        ledger.apply([warned(0, RowWarning.INSTRUCTION_CUT)])
        assert ledger.warnings() == {RowWarning.INSTRUCTION_CUT: 1}
