"""What is in Redis of a run's messages: waiting in its queue, or in the hands of workers."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import redis
from kombu.transport.redis import Channel

from worker.contract.envelope import argument_of
from worker.contract.errors import ContractError
from worker.contract.lanes import run_queue
from worker.contract.parameters import DEFAULT_PRIORITY
from worker.contract.roster import Roster, forget, rows_in
from worker.contract.sharing import OwnPart

#: Messages in hand per look into Redis.
_CHUNK: Final = 1000


def waiting_in(client: redis.Redis, lane: str) -> int:
    """Count the rows that wait for a lane's workers, of every run."""
    return sum(rows_in(client, [lane, *(entry.queue for entry in Roster(client, lane).listed())]))


def in_hand_of_all(client: redis.Redis) -> int:
    """Count the messages that workers hold, of every queue."""
    held: Any = client.hlen(Channel.unacked_key)
    return int(held)


class RunQueue:
    """The messages of one run."""

    def __init__(
        self,
        client: redis.Redis,
        lane: str,
        run: str,
        *,
        others: Iterable[str] = (),
        priority: int = DEFAULT_PRIORITY,
    ) -> None:
        """`others`: lanes in which rows of the run may be that were sent with another demand."""
        self.lane = lane
        self.name = run_queue(lane, run)
        self._client = client
        self._run = run
        self._roster = Roster(client, lane)
        self._priority = priority
        self._others = {run_queue(other, run) for other in others} - {self.name}

    def __len__(self) -> int:
        """Count the run's rows that wait."""
        return sum(rows_in(self._client, [self.name]))

    def announce(self) -> bool:
        """Let workers find the queue: before and after rows come there, and for as long as they are waited for.

        Return whether none could find it before.
        """
        return self._roster.announce(self._run, self._priority)

    def idle(self) -> bool:
        """Tell whether the queue is empty and no worker holds a message of it."""
        # In the order of a message's way, which is so seen as it passes; a worker may give it back, too.
        return not len(self) and not any(key == self.name for _, key in self._in_hand()) and not len(self)

    def held(self) -> int:
        """Count the run's messages that workers hold."""
        return sum(1 for _ in self._in_hand())

    def in_hand(self) -> set[tuple[int, str]]:
        """Return the run's rows that workers hold, each with its fingerprint."""
        found = set()
        for message, _ in self._in_hand():
            try:
                row = OwnPart.read(argument_of(message))
            except (ContractError, ValueError, LookupError, TypeError):  # such a message is answered by nobody
                continue
            found.add((row.row, row.fingerprint))
        return found

    def purge(self) -> int:
        """Remove the run's messages that wait; return how many there were."""
        return self._remove({self.name, *self._others})

    def purge_others(self) -> int:
        """Remove those alone that were sent with another demand."""
        return self._remove(self._others)

    def _remove(self, queues: Iterable[str]) -> int:
        # Of a queue that was emptied workers learn by themselves that its run is over, if it is.
        named = [*queues]
        with self._client.pipeline(transaction=True) as pipe:
            for queue in named:
                pipe.llen(queue)
            for queue in named:
                pipe.unlink(queue)
                forget(pipe, queue)
            return sum(pipe.execute()[: len(named)])

    def _in_hand(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Iterate over the run's messages that workers hold, and their queues; those of others lie in the same hash."""
        queues, mark = {self.name, *self._others}, self._run.encode()
        for _, raw in self._client.hscan_iter(Channel.unacked_key, count=_CHUNK):
            if mark not in raw:
                continue
            try:
                message, _, routing_key = json.loads(raw)
            except (ValueError, TypeError):  # nothing that kombu has written
                continue
            if routing_key in queues:
                yield message, routing_key
