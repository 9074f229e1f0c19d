"""Marks of rows that work alone, on a real Redis: only a dead process's mark counts against a row."""

import pytest
import redis

from worker.contract.errors import CrashedError
from worker.contract.outcomes import open_redis
from worker.delivery.quarantine import Quarantine, life_key

RUN = "0123456789abcdef"


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    """Connect to this test's Redis."""
    return open_redis(redis_url)


def process(client: redis.Redis, name: str, max_crashes: int = 3) -> Quarantine:
    """Be one worker process."""
    return Quarantine(client, client, max_crashes=max_crashes, timeout=60, instance=name)


def crash(client: redis.Redis, name: str, row: int = 7) -> None:
    """Have a process die while a row works alone: its mark stands, and its life is no longer renewed."""
    process(client, name).mark(RUN, row)
    client.delete(life_key(name))


def test_three_crashes_are_the_rows_error(client: redis.Redis) -> None:
    """After three processes died under its mark a row is refused, until its error is recorded; then it begins anew."""
    for name in ("a", "b", "c"):
        crash(client, name)
    quarantine = process(client, "d")
    for _ in range(2):
        with pytest.raises(CrashedError, match=r"^crashed its worker 3 times\.$"):
            quarantine.mark(RUN, 7)
    quarantine.clear(RUN, 7)
    quarantine.mark(RUN, 7)


def test_the_number_is_settable(client: redis.Redis) -> None:
    """Where one crash is enough, the second worker refuses the row."""
    crash(client, "a")
    with pytest.raises(CrashedError, match="crashed its worker 1 times"):
        process(client, "b", max_crashes=1).mark(RUN, 7)


def test_other_rows_are_not_blamed(client: redis.Redis) -> None:
    """Crashes count for their own row and their own run."""
    for name in ("a", "b", "c"):
        crash(client, name)
    process(client, "d").mark(RUN, 8)
    process(client, "d").mark("f" * 16, 7)


def test_a_row_that_ends_in_order_leaves_no_mark(client: redis.Redis) -> None:
    """However often a row works alone and ends, done or given back, nothing counts against it or is left."""
    for name in "abcde":
        quarantine = process(client, name)
        quarantine.mark(RUN, 7)
        quarantine.lift(RUN, 7)
        client.delete(life_key(name))
    process(client, "z").mark(RUN, 7)
    process(client, "z").lift(RUN, 7)
    assert client.keys("fleet:run:*") == []


def test_a_living_process_does_not_count(client: redis.Redis) -> None:
    """A row that Redis delivered again while others still hold it, as after an outage, is nobody's crash."""
    for name in "abcde":
        process(client, name).mark(RUN, 7)


def test_a_process_that_was_frozen_takes_its_mark_back(client: redis.Redis) -> None:
    """One that was taken for dead and lives on ends its row in order: its mark counts no more."""
    for name in ("a", "b"):
        crash(client, name)
    frozen = process(client, "c")
    frozen.mark(RUN, 7)
    client.delete(life_key("c"))
    frozen.lift(RUN, 7)
    process(client, "d").mark(RUN, 7)


def test_a_process_that_ends_by_its_own_fault_absolves_its_row(client: redis.Redis) -> None:
    """A hanging GPU is no row's fault: the mark goes before the process does."""
    for name in "abcde":
        quarantine = process(client, name)
        quarantine.mark(RUN, 7)
        quarantine.absolve()
        client.delete(life_key(name))
    process(client, "z").mark(RUN, 7)


def test_marks_do_not_stay_for_ever(client: redis.Redis) -> None:
    """Whatever a run leaves has an end."""
    crash(client, "a")
    assert all(client.ttl(key) > 0 for key in client.keys("fleet:*"))
