"""A cancelled run is taken up again: every unanswered row is sent, and none twice."""

import json
from pathlib import Path

import pytest

from tests.conftest import Start
from tests.support.by_hand import answer, answer_all, in_hand, lose, requests, rows_in_queue, write_rows
from tests.support.cli import CLI
from tests.support.sending import pictures, send
from tests.support.waiting import wait_until
from worker.contract.outcomes import open_redis


@pytest.fixture
def five(cli: CLI) -> CLI:
    """Have an input of five rows."""
    write_rows(cli, 5)
    return cli


@pytest.mark.parametrize("again", [("submit", "in.jsonl", "--run-dir", "r"), ("retry", "r", "--only", "unanswered")])
def test_a_cancelled_run_is_taken_up_again(five: CLI, redis_url: str, again: tuple[str, ...]) -> None:
    """Every unanswered row is sent once, although workers have dropped some; answered rows are not sent."""
    five("submit", "in.jsonl", "--run-dir", "r")
    taken = lose(redis_url, 3)
    answer(redis_url, taken[1])
    five("cancel", "r")
    done = five(*again)
    assert (done.returncode, done.stdout) == (0, "r\n"), done.stderr
    assert rows_in_queue(redis_url) == [0, 2, 3, 4]
    assert not json.loads(five("status", "r", "--json").stdout)["cancelled"]
    answer_all(redis_url)
    assert five("collect", "r").returncode == 0


def test_what_came_back_after_the_cancellation_is_not_done_twice(five: CLI, redis_url: str) -> None:
    """A message that returned to the queue since is replaced, and not joined, by the one that is sent again."""
    five("submit", "in.jsonl", "--run-dir", "r")
    with in_hand(redis_url, 2):
        five("cancel", "r")
    assert len(requests(redis_url)) == 2
    five("submit", "in.jsonl", "--run-dir", "r")
    assert rows_in_queue(redis_url) == [0, 1, 2, 3, 4]


def test_workers_drop_a_cancelled_runs_rows(cli: CLI, redis_url: str, start_plain: Start, gate: Path) -> None:
    """Nothing is saved of rows that were on the GPU or waited for it; taken up again, every row is done."""
    send(cli, ["Make it red."] * 40)
    start_plain(passthrough_gate=gate)
    client = open_redis(redis_url)
    wait_until(lambda: client.hlen("unacked") >= 12, "the worker holds rows")
    assert cli("cancel", "r").returncode == 0
    gate.touch()
    wait_until(lambda: not client.hlen("unacked"), "the worker has let go of every row")
    assert pictures(cli.folder) == []
    assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    assert cli("collect", "r").returncode == 0
    assert len(pictures(cli.folder)) == 40
