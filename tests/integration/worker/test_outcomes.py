"""A run's stream and counters on a real Redis."""

import time

import pytest

from worker.contract.messages import Outcome
from worker.contract.outcomes import OutcomeStream, open_redis

RUN = "0123456789abcdef"


def outcome(row: int) -> Outcome:
    """Make an outcome of a row."""
    return Outcome(run=RUN, row=row, fingerprint=f"{row:032x}", status="done", worker="w")


@pytest.fixture
def stream(redis_url: str) -> OutcomeStream:
    """Open a run's stream."""
    return OutcomeStream(open_redis(redis_url), RUN)


def test_outcomes_come_in_order_until_they_are_committed(stream: OutcomeStream) -> None:
    """Reading twice gives the same outcomes; committing deletes exactly those that were read."""
    for row in range(5):
        stream.append(outcome(row))
    first = stream.read(want=3, patience=5)
    assert [entry.outcome for entry in first] == [outcome(row) for row in range(5)]
    assert stream.read(want=1, patience=5) == first
    stream.append(outcome(5))
    stream.committed(first, "{}")
    assert [entry.outcome for entry in stream.unread()] == [outcome(5)]
    assert len(stream) == 1


def test_an_entry_that_is_no_outcome_is_handed_out_for_deletion(stream: OutcomeStream, redis_url: str) -> None:
    """Whatever else stands in the stream does not stop the collector."""
    open_redis(redis_url).xadd(f"fleet:run:{RUN}:outcomes", {"outcome": '{"v": 99}'})
    (entry,) = stream.read(want=1, patience=5)
    assert entry.outcome is None
    stream.committed([entry], "{}")
    assert len(stream) == 0


def test_reading_ends_without_outcomes(stream: OutcomeStream) -> None:
    """Where nothing comes, reading returns nothing, once its patience is over."""
    begun = time.monotonic()
    assert stream.read(want=10, patience=0.05) == []
    assert time.monotonic() - begun >= 0.05


def test_many_outcomes_are_all_seen_without_committing(stream: OutcomeStream) -> None:
    """Looking on pages through a stream of any length."""
    for row in range(2500):
        stream.append(outcome(row))
    assert [entry.outcome and entry.outcome.row for entry in stream.unread()] == list(range(2500))


def test_a_redis_that_came_back_empty_does_not_know_the_run(stream: OutcomeStream, redis_url: str) -> None:
    """The published counters are the mark that this Redis holds the run's rows."""
    assert stream.status() is None
    stream.publish('{"total": 1}')
    assert stream.committed([], '{"total": 2}')
    assert stream.status() == '{"total": 2}'
    open_redis(redis_url).flushall()
    assert not stream.committed([], '{"total": 3}'), "the collector must not make the mark anew"
    assert stream.status() is None
