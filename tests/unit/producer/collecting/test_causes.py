"""Failed rows are grouped by what their errors have in common."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.collecting.causes import Cause, Failure, causes, failures
from producer.run.ledger import Ledger
from producer.run.records import Entry, State
from worker.contract.messages import Outcome


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Open a run's ledger."""
    with Ledger(tmp_path) as ledger:
        yield ledger


def fail(ledger: Ledger, *errors: str) -> None:
    """Let rows fail, one for each error, as workers say it."""
    rows = range(len(errors))
    ledger.note([Entry(row, "f" * 32, State.NOTED) for row in rows])
    ledger.sent(rows)
    answer = {"run": ledger.run, "fingerprint": "f" * 32, "worker": "w"}
    ledger.apply([Outcome(row=row, status="failed", error=error, **answer) for row, error in enumerate(errors)])


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("image /data/a b.png: no such file.", "image: no such file"),
        ("image /a.png: has more than 16777216 pixels (5000x4000).", "image: has more than 16777216 pixels"),
        ("image /a.png: is broken (image file is truncated).", "image: is broken"),
        ("line 12: is no JSON (expecting value at column 1).", "is no JSON"),
        (
            'line 3: conversations: turn 1 has "from"; expected "content".',
            'conversations: turn 1 has "…"; expected "…"',
        ),
        ("output folder /runs/r/sample_7: cannot be written (no space).", "output folder …: cannot be written"),
        ("crashed its worker 3 times.", "crashed its worker 3 times"),
    ],
)
def test_what_is_the_rows_own_is_no_cause(error: str, cause: str) -> None:
    """Lines, names of images, folders, quotations and details in brackets are left out."""
    assert Failure(0, error).cause == cause


def test_the_most_frequent_come_first(ledger: Ledger) -> None:
    """Each cause has its number of rows and its first row."""
    fail(ledger, "a.", "image /x.png: no such file.", "image /y.png: no such file.")
    assert causes(ledger) == [
        Cause("image: no such file", 2, Failure(1, "image /x.png: no such file.")),
        Cause("a", 1, Failure(0, "a.")),
    ]


def test_rows_that_were_never_sent_count_too(ledger: Ledger) -> None:
    """A row that is no row is a failure with its reason, and a done one is none."""
    ledger.note([Entry(0, None, State.FAILED, "line 1: is no JSON."), Entry(1, None, State.KEPT)])
    assert list(failures(ledger)) == [Failure(0, "line 1: is no JSON.")]


def test_so_many_causes_that_none_is_one(ledger: Ledger) -> None:
    """What comes after the first thousand is counted together, so that no run fills the memory."""
    fail(ledger, *(f"a{n}." for n in range(1003)))
    assert {cause.cause: cause.rows for cause in causes(ledger)}["other errors"] == 3
    assert json.dumps(causes(ledger)[0].example._asdict()) == '{"row": 1000, "error": "a1000."}'
