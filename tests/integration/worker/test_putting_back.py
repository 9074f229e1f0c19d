"""Rows that go back as they came, on a real Redis: in one step, to the head of their run's queue, and nobody's."""

import json
from typing import Any

import pytest
import redis
from kombu.transport.redis import Channel

from worker.celery import connect
from worker.contract.lanes import run_queue
from worker.contract.messages import queue_name
from worker.contract.outcomes import open_redis
from worker.contract.redis_keys import roster_key, run_key
from worker.delivery.ownership import Note
from worker.delivery.putting_back import put_back
from worker.settings.fleet import load_settings

LANE, RUN = queue_name("demo"), "0" * 16
QUEUE = run_queue(LANE, RUN)
NOTE = Note(run_key(RUN, "holders"), "7", "a 7.1")


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    """Connect to this test's Redis."""
    return open_redis(redis_url)


@pytest.fixture
def channel(redis_url: str) -> Any:
    """Open a channel as a worker does."""
    channel = connect(load_settings(broker_url=redis_url)).connection_for_read().channel()
    channel.do_restore = False  # at the end of the process, when there is no Redis any more
    return channel


def payload(tag: str) -> dict[str, Any]:
    """Make a message as it stands in a queue."""
    delivery = {"exchange": "", "routing_key": QUEUE}
    properties = {"delivery_tag": tag, "delivery_info": delivery, "body_encoding": "base64", "priority": 0}
    return {"body": "W10=", "headers": {"empty": [], "none": None}, "properties": properties}


def take(channel: Any, client: redis.Redis) -> str:
    """Take a message in hand; return its tag."""
    message = channel.Message(payload("t"), channel=channel)
    channel.qos.append(message, "t")
    client.hset(NOTE.key, NOTE.field, NOTE.holder)
    return "t"


def test_a_row_is_the_next_and_as_it_came(channel: Any, client: redis.Redis) -> None:
    """Before those that wait, without a mark, with its run listed; its worker has it no more."""
    client.lpush(QUEUE, "other")
    put_back(channel.qos, take(channel, client), NOTE)
    *_, first = client.lrange(QUEUE, 0, -1)
    assert json.loads(first) == payload("t")
    assert client.hgetall(roster_key(LANE)) == {RUN.encode(): b"5 0"}
    assert client.exists(Channel.unacked_key, Channel.unacked_index_key, NOTE.key) == 0


def test_a_row_that_is_anothers_by_now_stays_with_it(channel: Any, client: redis.Redis) -> None:
    """It was taken for a dead worker's: it is not put into the queue twice, and the note is the other's."""
    tag = take(channel, client)
    channel.qos.restore_by_tag(tag)
    client.hset(NOTE.key, NOTE.field, "b 7.1")
    put_back(channel.qos, tag, NOTE)
    assert client.llen(QUEUE) == 1
    assert client.hget(NOTE.key, NOTE.field) == b"b 7.1"


def test_the_note_of_another_stays(channel: Any, client: redis.Redis) -> None:
    """Who has a newer message of the same row has it still."""
    tag = take(channel, client)
    client.hset(NOTE.key, NOTE.field, "b 7.2")
    put_back(channel.qos, tag, NOTE)
    assert client.hget(NOTE.key, NOTE.field) == b"b 7.2"


def test_a_row_that_was_put_back_and_taken_stays_with_who_took_it(channel: Any, client: redis.Redis) -> None:
    """Where Redis' answer was lost it is put back again; by then another has the message, under the same tag."""
    tag = take(channel, client)
    put_back(channel.qos, tag, NOTE)
    client.delete(QUEUE)
    client.hset(Channel.unacked_key, tag, "the other's")
    client.hset(NOTE.key, NOTE.field, "b 7.1")
    put_back(channel.qos, tag, NOTE)
    assert (client.llen(QUEUE), client.hget(Channel.unacked_key, tag)) == (0, b"the other's")
