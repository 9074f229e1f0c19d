"""The bootstep that refuses what is no task: whoever can write to Redis can put anything into the queue."""

import logging
from collections.abc import Callable
from functools import partial
from queue import Empty
from typing import Any

import redis
from celery import bootsteps
from celery.worker.consumer import Consumer

from worker.contract.errors import one_line

logger = logging.getLogger(__name__)


class RejectNonsense(bootsteps.StartStopStep):
    """Drops entries of the queue that are no messages, or messages without a task's parts, with a line in the log.

    What Celery and kombu can read and do not accept, such as pickles, they refuse themselves. What they cannot read
    ends their event loop, and with it the worker; and the next worker, to which it comes back.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Consumer) -> None:
        """Guard the reading of the queue; called again after each reconnect, with a new channel."""
        channel = consumer.task_consumer.channel
        channel.handlers["BRPOP"] = partial(_read, channel, channel.handlers["BRPOP"])


def _read(channel: Any, read: Callable[[], object]) -> object:
    before = set(channel.qos._delivered)  # noqa: SLF001 - kombu has no public view of the tags it holds
    try:
        return read()
    except (redis.RedisError, OSError, Empty):  # not kombu's own list of connection errors: it has KeyError, too
        raise
    except Exception as error:
        logger.error("rejected a message: it is no task (%s)", one_line(f"{type(error).__name__}: {error}"))  # noqa: TRY400
        for tag in channel.qos._delivered.keys() - before:  # noqa: SLF001
            channel.basic_reject(tag, requeue=False)
        return True
