"""The bootstep by which a worker that has nothing to do gets rows that others hold and have not begun."""

import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any, Final

import redis
from celery import bootsteps
from celery.worker import state
from celery.worker.consumer import Consumer

from worker.contract.calling import ROWS_WANTED, call_workers
from worker.contract.lanes import lane_and_run
from worker.contract.messages import TASK_NAME
from worker.contract.redis_keys import wanted_key
from worker.contract.roster import rows_in
from worker.delivery.bell import ring
from worker.delivery.quarantine import INSTANCE
from worker.settings.fleet import load_settings

#: Seconds between two looks whether there is nothing to do, or somebody else has nothing.
_TICK: Final = 0.1

#: Seconds for which a worker has waited for a row before it asks the others.
_PATIENCE: Final = 0.03

#: Seconds from one time that it asks to the next; the longer it has had nothing to do, the longer.
_SOON: Final = 0.25
_SELDOM: Final = 5.0

#: Seconds after which another of the lane may ask; those, longer, for which whoever was asked gives rows; and those for
#: which it holds few at most.
_APART: Final = 0.5
_GIVES: Final = 1.0
_FEW: Final = 5.0


class Rebalance(bootsteps.StartStopStep):
    """Asks the workers of its lanes for rows, while it has none and no queue has; gives them its own when it is asked.

    What they give is what waits behind the batch on their GPU. It goes back to its run's queue, as it came, and whoever
    was asked takes no more than a batch at a time, or it would take the same rows again: until there is enough in the
    queues, or nobody has asked for a while.
    """

    requires = ("worker.delivery.finding:FindRuns",)

    def __init__(self, consumer: Consumer, **options: Any) -> None:
        self._consumer = consumer
        settings = load_settings()
        self._batch, self._enough = min(settings.batch_size, settings.in_flight), settings.in_flight
        self._timer: Any = None
        #: Since when there was nothing to do, and when it may ask again.
        self._idle_since: float | None = None
        self._next = 0.0
        #: Lanes whose rows are wanted, and until when; afterwards there may still be few.
        self._wanted: frozenset[str] = frozenset()
        self._until = self._asked_at = 0.0
        self._are_few = False
        #: Its own, also while it drains and takes no more of them.
        self._lanes: frozenset[str] = frozenset()
        consumer.rebalancing = self
        super().__init__(consumer, **options)

    def start(self, consumer: Consumer) -> None:
        """Begin to look; called again after each reconnect."""
        self._idle_since, self._wanted, self._are_few = None, frozenset(), False
        self._lanes = frozenset(consumer.app.amqp.queues.consume_from) or self._lanes
        self._timer = consumer.timer.call_repeatedly(_TICK, self._look)

    def stop(self, consumer: Consumer) -> None:  # noqa: ARG002 - Celery's signature
        """Ask and give no more."""
        if self._timer is not None:
            self._timer.cancel()

    def asked(self, lanes: Iterable[str], asker: str) -> None:
        """Give a worker of these lanes what has not begun, now and for a while; who has asked itself only holds few."""
        if ours := self._lanes.intersection(lanes):
            self._are_few, self._asked_at = True, time.monotonic()
            if asker != INSTANCE:
                self._wanted |= ours
                self._until = self._asked_at + _GIVES
            self._give()

    def _look(self) -> None:
        if self._are_few:
            self._give()
        self._ask()

    def _give(self) -> None:
        qos, is_busy = self._consumer.task_consumer.channel.qos, False
        if time.monotonic() < self._until:
            delivered = qos._delivered.items()  # noqa: SLF001
            tags = {tag for tag, message in delivered if _lane(message) in self._wanted} - qos.unnoted
            is_busy = bool(tags) and self._consumer.app.tasks[TASK_NAME].pass_on(tags)
            if is_busy:  # or the first of them would come back at once: they are in the queue later than this
                ring(qos.channel)
        else:
            self._wanted, self._until = frozenset(), time.monotonic() + _GIVES
            self._are_few = time.monotonic() - self._asked_at < _FEW and not self._has_enough()
        # While others want rows, and until the batch on the GPU is done, none.
        qos.prefetch_count = (1 if is_busy else self._batch) if self._are_few else self._consumer.qos.value

    def _has_enough(self) -> bool:
        """Tell whether so much waits again that nobody is kept from anything by what a worker holds."""
        channel = self._consumer.task_consumer.channel
        with suppress(redis.ResponseError), channel.conn_or_acquire() as client:
            return sum(rows_in(client, channel.active_queues)) >= self._enough
        return False

    def _ask(self) -> None:
        now, channel = time.monotonic(), self._consumer.task_consumer.channel
        if state.reserved_requests:
            self._idle_since, self._next = None, now
            return
        lanes = [*self._consumer.app.amqp.queues.consume_from]
        has_waited = channel._in_poll and now - channel._brpop_sent_at >= _PATIENCE  # noqa: SLF001
        if not has_waited or not lanes or now < self._next:
            return
        self._idle_since = self._idle_since or now
        self._next = now + min(_SELDOM, max(_SOON, now - self._idle_since))
        # Of a Redis that refuses: `worker.delivery.leases` says it.
        with suppress(redis.ResponseError):
            if self._may_ask(channel, lanes):
                call_workers(self._consumer.app, channel, ROWS_WANTED, lanes=lanes, asker=INSTANCE)

    def _may_ask(self, channel: Any, lanes: Collection[str]) -> bool:
        """Tell whether somebody has rows, and nobody of these lanes has just asked for them."""
        with channel.conn_or_acquire() as client:
            if not client.hlen(channel.unacked_key):
                return False
            return bool(client.set(wanted_key([*lanes][-1]), 1, nx=True, px=int(1000 * _APART)))


def _lane(message: Any) -> str:
    queue = message.delivery_info["routing_key"]
    lane, _ = lane_and_run(queue) or (queue, "")
    return lane
