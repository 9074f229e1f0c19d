"""Acknowledging a row's message, and giving it back.

Celery acknowledges late: once the task has returned, or raised. `worker.tasks` does neither before the row's outcome is
recorded. Here is what is then done differently from kombu, on the connection's own channel.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import redis
from kombu.transport.virtual import QoS

from worker.contract.broker_words import reason
from worker.contract.roster import give_back
from worker.delivery.ownership import Note
from worker.delivery.putting_back import put_back
from worker.delivery.visibility import take

logger = logging.getLogger(__name__)


def guard(channel: Any, let_go: set[str], returning: set[str], passed_on: dict[str, Note]) -> None:
    """Put a channel's taking, acknowledging and rejecting of messages in our hands.

    `let_go`: tags of messages that are another worker's by now. `returning`: gets the tags of messages that are to be
    given back, for as long as Redis has not heard of it. `passed_on`: those of them that go as they came.
    """
    channel._do_restore_message = partial(_restore, channel._do_restore_message)  # noqa: SLF001
    qos = channel.qos
    #: Tags of messages that are in hand here, and that Redis does not know of: they must not be passed on.
    qos.unnoted = set()
    # What was asked for is read, however few may be taken by now: it may be a row, and nobody else's.
    may_consume = qos.can_consume
    qos.can_consume = lambda: bool(channel._in_poll) or may_consume()  # noqa: SLF001
    qos.append = partial(_append, qos)
    qos.ack = partial(_ack, qos, qos.ack, let_go)
    qos.reject = partial(_reject, qos, let_go, returning, passed_on)


def _restore(restore: Callable[..., None], payload: Any, exchange: str, queue: str, pipe: Any, *leftmost: bool) -> None:
    """Put a message back into its own run's queue; the run may be over by then, and is listed again with it."""
    restore(payload, exchange, queue, pipe, *leftmost)
    give_back(pipe, queue)


def _append(qos: Any, message: Any, tag: str) -> None:
    """Take a message in hand, also where a full Redis does not note it: it is out of the queue already."""
    try:
        take(qos, message, tag)
    except redis.ResponseError as error:
        logger.warning("Redis does not note that a row is in hand here: %s", reason(error))
        qos.unnoted.add(tag)
    QoS.append(qos, message, tag)


def _ack(qos: Any, ack: Callable[[str], None], let_go: set[str], tag: str) -> None:
    """Acknowledge a message; of one that is another worker's by now, only forget it."""
    qos.unnoted.discard(tag)
    if tag in let_go:
        let_go.discard(tag)
        qos._quick_ack(tag)  # noqa: SLF001
        return
    # A Redis that refuses for a while is told by `worker.delivery.leases`, which looks for what has ended.
    with suppress(redis.ResponseError):
        ack(tag)


def _reject(
    qos: Any, let_go: set[str], returning: set[str], passed_on: dict[str, Note], tag: str, *, requeue: bool = False
) -> None:
    """Take a message from this worker; one that is given back is the next that others take.

    kombu's own way puts it behind all that is in the queue, which may be a day of work.
    """
    if requeue and tag not in let_go:
        returning.add(tag)
        with suppress(redis.ResponseError):  # as above
            if (note := passed_on.get(tag)) is None:
                qos.restore_by_tag(tag)
            else:
                put_back(qos, tag, note)
            returning.discard(tag)
            passed_on.pop(tag, None)
            qos._quick_ack(tag)  # noqa: SLF001
    else:
        passed_on.pop(tag, None)
        qos.ack(tag)
