"""Calling to all workers over Celery's remote control, without waiting: whoever misses it looks by himself, later."""

from typing import Any, Final

from celery import Celery
from kombu.messaging import Producer

#: Commands of `worker.delivery.remote_control`: a run is new in a lane; a worker of some lanes has nothing to do.
RUN_LISTED: Final = "run_listed"
ROWS_WANTED: Final = "rows_wanted"


def call_workers(app: Celery, channel: Any, command: str, **arguments: object) -> None:
    """Call.

    Celery's own `broadcast` tries for ever where Redis is away, and an event loop would stand still meanwhile.
    """
    mailbox = app.control.mailbox
    message = {
        "method": command,
        "arguments": arguments,
        "destination": None,
        "pattern": None,
        "matcher": None,
    }
    Producer(channel, auto_declare=False).publish(
        message,
        exchange=mailbox.exchange.name,
        declare=[mailbox.exchange],
        headers={"clock": mailbox.clock.forward(), "expires": 0},
        serializer="json",
    )
