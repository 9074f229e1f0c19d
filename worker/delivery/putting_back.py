"""Putting a row that has not begun back into its run's queue, as it came: in one step, so that nobody's end loses it.

What is given back at a worker's end is marked as delivered before, and works alone from then on. That would be wrong
here: nobody died.
"""

from typing import Any, Final

from kombu.utils.json import dumps

from worker.contract.lanes import lane_and_run
from worker.contract.redis_keys import roster_key
from worker.contract.roster import UNKNOWN
from worker.delivery.ownership import Note

#: Nothing happens to a row that is not this worker's any more: put back before, where the answer to it was lost, or
#: given to another, who has its message under the same tag. Nor to a message that is in nobody's hands.
#: KEYS: the hands, since when, the queue, who has the run's rows, the runs that are listed.
#: ARGV: the message's tag, the message, its row, who had it, its run, its facts.
_PUT_BACK: Final = """
if redis.call('HGET', KEYS[4], ARGV[3]) ~= ARGV[4] then return 0 end
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('RPUSH', KEYS[3], ARGV[2])
redis.call('HDEL', KEYS[4], ARGV[3])
if ARGV[5] ~= '' then redis.call('HSETNX', KEYS[5], ARGV[5], ARGV[6]) end
return 1
"""


def put_back(qos: Any, tag: str, note: Note) -> None:
    """Make a message in this worker's hands the next that others take, and forget who had its row."""
    message = qos.get(tag)
    queue = message.delivery_info["routing_key"]
    lane, run = lane_and_run(queue) or ("", "")
    keys = [qos.unacked_key, qos.unacked_index_key, queue, note.key, roster_key(lane)]
    facts = [tag, dumps(message._raw), note.field, note.holder, run, UNKNOWN]  # noqa: SLF001 - kombu's own form
    with qos.channel.conn_or_acquire() as client:
        client.eval(_PUT_BACK, len(keys), *keys, *facts)
