"""The worker's app: what its log shows of the broker."""

import pytest
from celery import Celery

from worker.celery import app


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("redis://:s3cret@[::1]:6380/1", "redis://:**@[::1]:6380/1"),
        ("redis://:s3cret@host:6380/1", "redis://:**@host:6380/1"),
        ("redis+socket:///run/a:b/redis.sock", "redis+socket:///run/a:b/redis.sock"),
    ],
)
def test_an_address_is_shown_as_it_was_written(url: str, seen: str) -> None:
    """Also where it is of IPv6, and always without its password."""
    shown = Celery(broker=url, amqp=app.amqp_cls, set_as_current=False).connection().as_uri()
    assert shown == seen
