"""Whose messages are in hand, on a real Redis: told by its own clock, whatever the clocks of those who ask."""

import time
from types import SimpleNamespace
from typing import Any

import kombu.transport.redis
import pytest
import redis
from kombu.transport.redis import Channel

from producer.collecting.fleet import fleet_status
from worker.celery import connect
from worker.contract.outcomes import open_redis
from worker.delivery.visibility import overdue, redis_now, take
from worker.settings.fleet import load_settings


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    """Connect to this test's Redis."""
    return open_redis(redis_url)


@pytest.fixture
def channel(redis_url: str) -> Any:
    """Open a channel as a worker does."""
    return connect(load_settings(broker_url=redis_url)).connection_for_read().channel()


def message(body: str) -> Any:
    """Make what kombu hands over of a message of the queue `q`."""
    return SimpleNamespace(_raw={"body": body}, delivery_info={"exchange": "", "routing_key": "q"})


def test_messages_are_noted_by_redis_clock(client: redis.Redis, channel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken by a worker whose clock is an hour ahead, a message has the time of Redis, and goes back as it came."""
    monkeypatch.setattr(time, "time", lambda: 0.0)
    before = redis_now(client)
    take(channel.qos, message("row"), "tag")
    ((tag, score),) = client.zrange(Channel.unacked_index_key, 0, -1, withscores=True)
    assert tag == b"tag"
    assert before <= score <= redis_now(client)
    channel.qos.restore_by_tag("tag")
    assert b'"body": "row"' in client.lrange("q", 0, -1)[0]
    assert client.hlen(Channel.unacked_key) == 0


def test_what_nobody_has_renewed_is_overdue(client: redis.Redis, channel: Any) -> None:
    """Of the past and, once Redis' clock was set back, of the future; the oldest comes last, to be the next taken."""
    ages = {"fresh": 0, "renewed": 9, "older": 30, "old": 11, "future": -11, "near": -9}
    client.zadd(Channel.unacked_index_key, {tag: 1_000 - age for tag, age in ages.items()})
    assert overdue(client, channel, 1_000.0, 10.0) == [b"future", b"old", b"older"]


def test_a_command_on_a_machine_with_another_clock_takes_no_row_from_a_worker(
    client: redis.Redis, channel: Any, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`producer status` listens for answers, and kombu would look for overdue messages meanwhile."""
    take(channel.qos, message("row"), "tag")
    monkeypatch.setattr(kombu.transport.redis, "time", lambda: time.time() + 24 * 60 * 60)
    assert fleet_status(load_settings(broker_url=redis_url), patience=0.2) == {}
    assert client.zcard(Channel.unacked_index_key) == 1
    assert client.llen("q") == 0
