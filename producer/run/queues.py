"""What is in Redis of a run's messages: waiting in its model's queue, or in the hands of workers."""

import base64
import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

import redis
from kombu.transport.redis import Channel

from worker.contract.errors import ContractError
from worker.contract.messages import EditRequest

#: Messages per call of the script, which nothing else in Redis can interrupt: a few milliseconds.
_CHUNK: Final = 1000

# From the end where workers take them to the other: what stays is in its old order once all were seen. A script has
# written as soon as it has popped, so that a full Redis does not refuse to take the message back.
_DROP: Final = """
local dropped = 0
for looked = 1, tonumber(ARGV[2]) do
    local message = redis.call('RPOP', KEYS[1])
    if not message then
        return {looked - 1, dropped}
    end
    if string.find(message, ARGV[1], 1, true) then
        dropped = dropped + 1
    else
        redis.call('LPUSH', KEYS[1], message)
    end
end
return {tonumber(ARGV[2]), dropped}
"""


def waiting_in(client: redis.Redis, queue: str) -> int:
    """Count the messages that wait in a queue, of whichever run."""
    with client.pipeline(transaction=True) as pipe:
        for key in _keys_of(queue):
            pipe.llen(key)
        return sum(pipe.execute())


def in_hand_of_all(client: redis.Redis) -> int:
    """Count the messages that workers hold, of every queue."""
    held: Any = client.hlen(Channel.unacked_key)
    return int(held)


def _keys_of(queue: str) -> list[str]:
    # As kombu keeps a queue's priorities, although rows are sent with none.
    return [queue, *(f"{queue}{Channel.sep}{step}" for step in Channel.priority_steps if step)]


class RunQueue:
    """The messages of one run, among those of other runs that use the same model."""

    def __init__(self, client: redis.Redis, queue: str, run: str, *, others: Iterable[str] = ()) -> None:
        """`others`: where rows of the run may be that were sent with another demand."""
        self._client = client
        self._queue = queue
        self._keys = _keys_of(queue)
        self._others = {*others} - {queue}
        # As kombu writes the task's id into a message's headers; the body is base64.
        self._mark = f'"id": "{run}.'.encode()

    def idle(self) -> bool:
        """Tell whether the queue is empty and no worker holds a message of it, whichever run it is of."""
        with self._client.pipeline(transaction=True) as pipe:
            for key in self._keys:
                pipe.llen(key)
            pipe.hlen(Channel.unacked_key)
            *waiting, in_hand = pipe.execute()
        # Queue before hands: the way of a message, which is seen in one of them as it passes.
        return not any(waiting) and not (in_hand and any(self._in_hand({self._queue})))

    def in_hand(self) -> set[tuple[int, str]]:
        """Return the run's rows that workers hold, each with its fingerprint."""
        found = set()
        for raw, message in self._in_hand({self._queue, *self._others}):
            if self._mark in raw:
                try:
                    arguments = json.loads(base64.b64decode(message["body"]))[0]
                    request = EditRequest.decode(arguments[0])
                except (ContractError, ValueError, LookupError, TypeError):  # such a message is answered by nobody
                    continue
                found.add((request.row, request.fingerprint))
        return found

    def purge(self) -> int:
        """Remove the run's messages from the queue, and no other's; return how many there were."""
        return sum(map(self._purge, self._keys)) + self.purge_others()

    def purge_others(self) -> int:
        """Remove those alone that were sent with another demand."""
        return sum(self._purge(key) for queue in self._others for key in _keys_of(queue))

    def _purge(self, key: str) -> int:
        # Later ones need no look: who purges has seen to it that the run's owner publishes none, or takes them back.
        left: Any = self._client.llen(key)
        dropped = 0
        while left > 0:
            answer: Any = self._client.eval(_DROP, 1, key, self._mark, min(left, _CHUNK))
            looked, gone = answer
            if not looked:
                break
            left -= looked
            dropped += gone
        return dropped

    def _in_hand(self, queues: Collection[str]) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Iterate over the queues' messages that workers hold; other models' lie in the same hash."""
        for _, raw in self._client.hscan_iter(Channel.unacked_key, count=_CHUNK):
            try:
                message, _, routing_key = json.loads(raw)
            except (ValueError, TypeError):  # nothing that kombu has written
                continue
            if routing_key in queues:
                yield raw, message
