"""Which runs have rows: a list per lane, in Redis, from which workers learn whose queues there are."""

from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

import redis

from worker.contract.lanes import lane_and_run, run_queue
from worker.contract.parameters import DEFAULT_PRIORITY
from worker.contract.redis_keys import roster_key

#: Seconds after which a run with an empty queue is listed no more, unless its owner says that it goes on.
IDLE: Final = 60

#: What is listed of a run that is known by its rows alone.
UNKNOWN: Final = f"{DEFAULT_PRIORITY} 0"


def weight(priority: int) -> int:
    """Return how often a run of this priority has its turn: twice as often with each step."""
    return 1 << min(9, max(0, priority))


class Listed(NamedTuple):
    """A run that is listed."""

    queue: str
    priority: int
    #: When its owner last said that it goes on, by Redis' clock; 0 where only its rows say so.
    at: int


class Roster:
    """The runs of one lane. A queue that holds rows is always in it: whoever puts rows there lists the run first.

    Whoever owns a run lists it again and again, so that a Redis that lost it knows it soon. The list does not expire,
    since queues do not: workers strike out what is over.
    """

    def __init__(self, client: redis.Redis, lane: str) -> None:
        self._client = client
        self._lane = lane
        self._key = roster_key(lane)

    def announce(self, run: str, priority: int) -> bool:
        """List a run, or say that it goes on, and with which priority; return whether it was not listed before."""
        seconds, _ = self._client.time()
        with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(self._key, run, f"{priority} {seconds}")
            (added,) = pipe.execute()
        return bool(added)

    def listed(self) -> list[Listed]:
        """Return the runs that are listed."""
        found: Any = self._client.hgetall(self._key)
        return [entry for run, facts in found.items() if (entry := self._entry(run, facts)) is not None]

    def tidy(self, listed: Collection[Listed]) -> None:
        """Take those out of the list whose queue is empty, and of which nobody says that they go on."""
        now: int = self._client.time()[0] if listed else 0
        for entry in listed:
            if abs(now - entry.at) > IDLE:  # the clock may have been set back
                self._drop_empty(entry.queue)

    def _drop_empty(self, queue: str) -> None:
        def drop(pipe: Any) -> None:
            rows = pipe.llen(queue)
            pipe.multi()
            if not rows:
                forget(pipe, queue)

        self._client.transaction(drop, queue)

    def _entry(self, run: bytes, facts: bytes) -> Listed | None:
        try:
            priority, at = facts.split()
            queue = run_queue(self._lane, run.decode())
            return Listed(queue, int(priority), int(at)) if lane_and_run(queue) else None
        except ValueError:  # nothing that this version has written
            return None


def give_back(pipe: "redis.client.Pipeline", queue: str) -> None:
    """List the run of a queue, in the transaction that puts a row back there, unless it is listed."""
    if (found := lane_and_run(queue)) is not None:
        lane, run = found
        pipe.hsetnx(roster_key(lane), run, UNKNOWN)


def forget(pipe: "redis.client.Pipeline", queue: str) -> None:
    """List the run of a queue no more."""
    if (found := lane_and_run(queue)) is not None:
        lane, run = found
        pipe.hdel(roster_key(lane), run)


def rows_in(client: redis.Redis, queues: Iterable[str]) -> list[int]:
    """Count the rows that wait in each of some queues, at one moment."""
    with client.pipeline(transaction=True) as pipe:
        for queue in queues:
            pipe.llen(queue)
        return list(pipe.execute())
