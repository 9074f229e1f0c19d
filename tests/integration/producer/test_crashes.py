"""A producer that is killed at the worst moments: the same command again finishes the run."""

import sqlite3

import pytest

from tests.support import dying
from tests.support.by_hand import answer_all, finish, requests, require_sound, rows_in_queue, write_rows
from tests.support.cli import CLI

SUBMIT = ("submit", "in.jsonl", "--run-dir", "r")

#: As many as two transactions hold, and some.
ROWS = 2100
CHUNK = 1000


@pytest.fixture
def many(cli: CLI) -> CLI:
    """Have an input of many rows."""
    write_rows(cli, ROWS)
    return CLI(cli.folder, {**cli.settings, "save_interval": 100_000})


@pytest.mark.parametrize(
    ("moment", "published"),
    [
        (("before", "producer.run.ledger:Ledger.note", 1), 0),
        (("after", "producer.collecting.collector:Collector.until", 2), CHUNK),  # noted, and about to be published
        (("before", "producer.run.ledger:Ledger.sent", 1), CHUNK),  # published, and not noted
        pytest.param(("before", "producer.run.ledger:Ledger.sent", 2), 2 * CHUNK, marks=pytest.mark.thorough),
        (("before", "producer.run.ledger:Ledger.forget_others", 1), ROWS),
    ],
)
def test_a_submission_that_is_killed(many: CLI, redis_url: str, moment: tuple[str, str, int], published: int) -> None:
    """The same command again sends every row that is not on its way: each is in the queue once."""
    when, place, nth = moment
    dying.killed(many, when, place, *SUBMIT, nth=nth)
    assert len(requests(redis_url)) == published
    require_sound(many.folder / "r")
    again = many(*SUBMIT)
    assert again.returncode == 0, again.stderr
    assert sorted(rows_in_queue(redis_url)) == list(range(ROWS))
    finish(many, redis_url)


@pytest.mark.parametrize(
    ("when", "place", "nth"),
    [
        ("before", "producer.run.ledger:Ledger.apply", 1),
        ("before", "worker.contract.outcomes:OutcomeStream.committed", 1),  # in the ledger, and still in the stream
        pytest.param("after", "worker.contract.outcomes:OutcomeStream.committed", 1, marks=pytest.mark.thorough),
        ("before", "producer.collecting.columns:Columns.plain_line", 1000),  # in the middle of the output
    ],
)
def test_a_collection_that_is_killed(many: CLI, redis_url: str, when: str, place: str, nth: int) -> None:
    """The same command again finishes: each answer counts once, and the output is whole or not there."""
    assert many(*SUBMIT).returncode == 0
    answer_all(redis_url)
    dying.killed(many, when, place, "collect", "r", nth=nth)
    require_sound(many.folder / "r")
    assert not (many.folder / "r/output.jsonl").exists()
    finish(many, redis_url)
    with sqlite3.connect(many.folder / "r/run.sqlite") as ledger:
        assert ledger.execute("SELECT n FROM tally WHERE key = 'worker:w'").fetchall() == [(ROWS,)]


def test_an_earlier_output_outlives_a_collection_that_is_killed(cli: CLI, redis_url: str) -> None:
    """An output that is written again is the earlier one until it is whole."""
    write_rows(cli, 20)
    assert cli(*SUBMIT).returncode == 0
    finish(cli, redis_url)
    before = (cli.folder / "r/output.jsonl").read_bytes()
    dying.killed(cli, "before", "producer.collecting.columns:Columns.plain_line", "collect", "r", nth=10)
    assert (cli.folder / "r/output.jsonl").read_bytes() == before
    finish(cli, redis_url)
