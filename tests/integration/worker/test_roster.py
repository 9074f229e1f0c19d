"""Which runs have rows: what is listed, what is struck out, and that a queue with rows never is, on a real Redis."""

from collections.abc import Iterator

import pytest
import redis

from worker.contract.lanes import run_queue
from worker.contract.messages import queue_name
from worker.contract.outcomes import open_redis
from worker.contract.redis_keys import roster_key
from worker.contract.roster import IDLE, Roster, forget, give_back

LANE = queue_name("demo")
ONE, OTHER = "0" * 16, "1" * 16


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Connect to this test's Redis."""
    with open_redis(redis_url) as client:
        yield client


def listed(client: redis.Redis, lane: str = LANE) -> dict[str, int]:
    """Return the priorities of the runs that are listed, by their queues."""
    return {entry.queue: entry.priority for entry in Roster(client, lane).listed()}


def set_at(client: redis.Redis, run: str, seconds: int) -> None:
    """Have a run listed so many seconds ago."""
    client.hset(roster_key(LANE), run, f"5 {client.time()[0] - seconds}")


def test_runs_are_listed_with_their_priorities(client: redis.Redis) -> None:
    """By lane; the last word counts."""
    Roster(client, LANE).announce(ONE, 5)
    Roster(client, LANE).announce(OTHER, 9)
    Roster(client, LANE).announce(ONE, 0)
    Roster(client, f"{LANE}.exact").announce(ONE, 7)
    assert listed(client) == {run_queue(LANE, ONE): 0, run_queue(LANE, OTHER): 9}
    assert listed(client, f"{LANE}.exact") == {run_queue(f"{LANE}.exact", ONE): 7}
    assert client.ttl(roster_key(LANE)) == -1  # as the queues


@pytest.mark.parametrize("seconds", [IDLE + 5, -IDLE - 5])
def test_an_empty_queue_is_struck_out(client: redis.Redis, seconds: int) -> None:
    """Once its owner has said nothing for a while, also where Redis' clock was set back meanwhile."""
    set_at(client, ONE, seconds)
    set_at(client, OTHER, 0)
    Roster(client, LANE).tidy(Roster(client, LANE).listed())
    assert listed(client) == {run_queue(LANE, OTHER): 5}


def test_a_queue_with_rows_is_never_struck_out(client: redis.Redis) -> None:
    """However long its owner says nothing: rows may wait for days for the first worker."""
    set_at(client, ONE, 10**6)
    client.lpush(run_queue(LANE, ONE), "row")
    Roster(client, LANE).tidy(Roster(client, LANE).listed())
    assert listed(client) == {run_queue(LANE, ONE): 5}


def test_a_row_that_is_given_back_lists_its_run(client: redis.Redis) -> None:
    """With the middle priority where it was struck out, and with its own where it was not; until the queue is empty."""
    Roster(client, LANE).announce(OTHER, 9)
    with client.pipeline(transaction=True) as pipe:
        for queue in (run_queue(LANE, ONE), run_queue(LANE, OTHER), LANE, "celery"):
            give_back(pipe, queue)
        pipe.execute()
    assert listed(client) == {run_queue(LANE, ONE): 5, run_queue(LANE, OTHER): 9}
    Roster(client, LANE).tidy(Roster(client, LANE).listed())
    assert listed(client) == {run_queue(LANE, OTHER): 9}
    with client.pipeline(transaction=True) as pipe:
        forget(pipe, run_queue(LANE, OTHER))
        pipe.execute()
    assert listed(client) == {}


def test_what_is_no_run_is_passed_over(client: redis.Redis) -> None:
    """Whoever can write to Redis can write anything."""
    client.hset(roster_key(LANE), mapping={b"\xff": "5 1", "a" * 16: "", "b" * 16: "5", "c": "5 1", "d" * 16: "x 1"})
    assert listed(client) == {}
