"""The bootstep that keeps a living worker's messages its own: while it works, and when Redis was away."""

import logging
import warnings
from contextlib import suppress
from typing import Any

import redis
from celery import bootsteps
from celery.exceptions import CPendingDeprecationWarning
from celery.worker import state
from celery.worker.consumer import Consumer
from kombu.transport.redis import Mutex, MutexHeld

from worker.celery import SWEEP
from worker.contract.broker_words import reason
from worker.contract.messages import TASK_NAME
from worker.delivery.acknowledging import guard
from worker.delivery.quarantine import live
from worker.delivery.visibility import Judge, overdue, redis_now
from worker.settings.fleet import load_settings

# Celery warns, ten lines each time, that rows are delivered again when a connection is lost; see below.
warnings.filterwarnings("ignore", category=CPendingDeprecationWarning, module=r"celery\.worker")

logger = logging.getLogger(__name__)


class RenewLeases(bootsteps.StartStopStep):
    """Renews the visibility of every message that this worker holds, four times per timeout.

    Redis' transport gives a message to another worker once `visibility_timeout` has passed since it was
    received, however healthy its holder. So either a dead worker's rows come back late, or a living one's
    are edited twice. With the renewal the timeout can be short: only a dead worker's messages expire.

    When the connection is lost, rows go on being edited. Celery would give them all back as soon as Redis answers, and
    forget them, so that each would be edited twice. Here they are taken over into the new connection.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Consumer, **options: Any) -> None:
        self._timers: list[Any] = []
        self._channel: Any = None
        #: Seconds without a renewal after which a message is others'.
        self._timeout = load_settings().visibility_timeout
        self._judge = Judge(self._timeout)
        #: Whether Redis refused the last renewal.
        self._refused = False
        #: Tags of rows that had ended when it was last looked, and were not acknowledged.
        self._ended: set[str] = set()
        #: Tags of rows that are to be given back, as long as Redis has not heard of it.
        self._returning: set[str] = set()
        super().__init__(consumer, **options)

    def start(self, consumer: Consumer) -> None:
        """Begin to renew; called again after each reconnect, which clears the timers."""
        lost, self._channel = self._channel, consumer.task_consumer.channel
        # A channel that is closed by a lost connection must give nothing back.
        self._channel.do_restore = False
        task = consumer.app.tasks[TASK_NAME]
        guard(self._channel, task.let_go, self._returning, task.passed_on)
        if lost is not None:
            self._take_over(lost)
        if lost is not None or consumer.has_waited:
            self._judge.cut_off()
        self._renew()
        self._timers = [
            consumer.timer.call_repeatedly(self._timeout / 4, self._renew),
            consumer.timer.call_repeatedly(min(SWEEP, self._timeout / 4), self._sweep),
        ]

    def shutdown(self, consumer: Consumer) -> None:  # noqa: ARG002 - Celery's signature
        """End the renewal. Not in `stop`, which comes at SIGTERM, while rows are still on the GPU."""
        for timer in self._timers:
            timer.cancel()
        if self._channel is not None:
            self._channel.do_restore = True  # of a worker that ends without waiting for its rows

    def _take_over(self, lost: Any) -> None:
        """Have this connection acknowledge, renew and count what came by the lost one."""
        held, acknowledged = lost.qos._delivered, lost.qos._dirty  # noqa: SLF001 - kombu has no public view of them
        for tag, message in held.items():
            if tag not in acknowledged:
                message.channel = self._channel
                self._channel.qos._quick_append(tag, message)  # noqa: SLF001 - what `append` does beside Redis
        held.clear()

    def _renew(self) -> None:
        channel = self._channel
        held = channel.qos._delivered.keys() - channel.qos._dirty  # noqa: SLF001
        try:
            with channel.conn_or_acquire() as client, client.pipeline(transaction=False) as pipe:
                now = redis_now(client)
                live(pipe, self._timeout)
                if held:
                    # xx: a message that was acknowledged meanwhile must not come back as an entry without a body.
                    pipe.zadd(channel.unacked_index_key, dict.fromkeys(held, now), xx=True)
                pipe.execute()
        except redis.ResponseError as error:
            if held and not self._refused:
                logger.warning("the messages in hand cannot be renewed: %s", reason(error))
            self._refused = True
            return
        if self._refused:
            if held:
                logger.warning("the messages in hand are renewed again")
            self._refused = False
            self._judge.cut_off()  # as after a lost connection: others may not have renewed theirs yet
        self._judge.renewed(now)
        self._settle(held)

    def _settle(self, held: set[str]) -> None:
        """Make up for what a lost connection has swallowed of rows that have ended, and not for what is on its way."""
        ended = held - {request.message.delivery_tag for request in tuple(state.requests.values())}
        for tag in ended & self._ended:
            if tag in self._returning:
                self._channel.basic_reject(tag, requeue=True)
            else:
                self._channel.basic_ack(tag)
        self._ended = ended

    def _sweep(self) -> None:
        """Bring back the rows of dead workers, unless this one was cut off or frozen and knows nothing of others."""
        channel = self._channel
        with (
            suppress(redis.ResponseError, MutexHeld),  # of a Redis that refuses: `_renew` says it
            channel.conn_or_acquire() as client,
        ):
            if not self._judge.may_judge(now := redis_now(client)):
                return
            if not overdue(client, channel, now, self._timeout):  # nearly always, of each of a thousand workers
                return
            with Mutex(client, channel.unacked_mutex_key, channel.unacked_mutex_expire):  # others look, too
                for tag in overdue(client, channel, now, self._timeout):
                    channel.qos.restore_by_tag(tag, client)
