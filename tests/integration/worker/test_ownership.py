"""Who has a row in hand, on a real Redis: of two workers that have one, the first lets go."""

import pytest
import redis
from PIL import Image

from worker.batching.jobs import EditJob, Ticket
from worker.contract.messages import Outcome
from worker.contract.outcomes import OutcomeStream, open_redis
from worker.delivery.ownership import Ownership

RUN = "0123456789abcdef"


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    """Connect to this test's Redis."""
    return open_redis(redis_url)


def ticket(row: int = 7, task: str = "t1", tag: str = "g1") -> Ticket:
    """Make a delivery of a row."""
    return Ticket(RUN, row, task, tag)


def objections(client: redis.Redis, instance: str, *tickets: Ticket) -> list[str | None]:
    """Return what a process has against editing these rows."""
    jobs = [EditJob(one, Image.new("RGB", (1, 1)), "x", None, (0,)) for one in tickets]
    return [None if found is None else str(found) for found in ownership(client, instance).objections(jobs)]


def ownership(client: redis.Redis, instance: str) -> Ownership:
    """Be one worker process."""
    return Ownership(client, client, instance)


ELSEWHERE = "row 7: another worker has it."


def test_who_has_a_row_edits_it(client: redis.Redis) -> None:
    """A worker has nothing against the rows that it took, of whatever run."""
    rows = [ticket(), ticket(8), Ticket("f" * 16, 7, "t", "g")]
    for row in rows:
        ownership(client, "a").take(row)
    assert objections(client, "a", *rows) == [None, None, None]


def test_who_took_it_last_has_it(client: redis.Redis) -> None:
    """After a freeze, the row is the other worker's; and where it was sent twice, its later message is edited."""
    ownership(client, "a").take(ticket())
    ownership(client, "b").take(ticket())
    assert objections(client, "a", ticket()) == [ELSEWHERE]
    assert objections(client, "b", ticket()) == [None]
    ownership(client, "b").take(ticket(task="t2", tag="g2"))
    assert objections(client, "b", ticket(), ticket(task="t2", tag="g2")) == [ELSEWHERE, None]


def test_an_answered_row_is_not_edited(client: redis.Redis) -> None:
    """Once the other has recorded its outcome, acknowledged or not, nothing is left to do; sent again, there is."""
    ownership(client, "a").take(ticket())
    ownership(client, "b").take(ticket())
    outcome = Outcome(run=RUN, row=7, fingerprint="a" * 32, status="done", worker="b")
    OutcomeStream(client, RUN).append(outcome)
    client.hset("unacked", "g1", "[]")
    assert objections(client, "a", ticket()) == [ELSEWHERE]
    ownership(client, "a").take(ticket(task="t2", tag="g2"))
    assert objections(client, "a", ticket(task="t2", tag="g2")) == [None]


def test_a_note_that_redis_forgot_is_no_objection(client: redis.Redis) -> None:
    """A Redis that lost its last second still holds the message as unacknowledged: the row is edited."""
    client.hset("unacked", "g1", "[]")
    assert objections(client, "a", ticket()) == [None]


def test_a_redis_that_is_away_holds_nobody_up(redis_url: str) -> None:
    """Where Redis does not answer within the timeout, rows are edited without having asked."""
    open_redis(redis_url).shutdown(nosave=True)
    hasty = open_redis(redis_url, patience=None, timeout=0.5)
    assert objections(hasty, "a", ticket(), ticket(8)) == [None, None]
