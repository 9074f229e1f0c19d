"""The bootstep that has a worker take rows of every run of its lanes, from the run's first row to its last."""

import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any, Final

import redis
from celery import bootsteps
from celery.worker import state
from celery.worker.consumer import Consumer

from worker.celery import plain_queue
from worker.contract.lanes import lane_and_run
from worker.contract.parameters import DEFAULT_PRIORITY
from worker.contract.roster import Roster, rows_in
from worker.delivery.bell import BELL, hang_up, ring
from worker.delivery.turns import Turns
from worker.settings.fleet import load_settings

#: Seconds between two looks of a worker that has nothing to do, of one that has, and of one that has had nothing to do
#: for longer than `_SOON`: a thousand of those would fill a Redis with looks. They are told of new runs.
_IDLE: Final = 0.25
_BUSY: Final = 1.0
_SELDOM: Final = 5.0
_SOON: Final = 2.0

#: Seconds after which a worker looks for runs that are over, and were not struck out.
_TIDY: Final = 15.0


class FindRuns(bootsteps.StartStopStep):
    """Looks again and again which runs there are, and has them take turns.

    A queue is asked from the next look on. One that is listed no more is asked no more, and is forgotten as soon as
    nothing can come of it any more.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Consumer, **options: Any) -> None:
        self._turns = Turns(rows=load_settings().batch_size, bell=BELL)
        self._timer: Any = None
        self._looked = self._tidied = self._active = float("-inf")
        #: What the worker waits for: queues, and those that go first where they are too many.
        self._asked: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
        consumer.finding = self
        #: Since when queues that are still consumed are listed no more.
        self._gone: dict[str, float] = {}
        super().__init__(consumer, **options)

    def start(self, consumer: Consumer) -> None:
        """Begin to look; called again after each reconnect, with a new channel that consumes no run's queue yet."""
        channel = consumer.task_consumer.channel
        channel._queue_cycle = self._turns  # noqa: SLF001 - what kombu's option for it makes, it makes without arguments
        channel._update_queue_cycle()  # noqa: SLF001
        hang_up(channel)
        self._gone.clear()
        self._active = time.monotonic()
        self._look(consumer)
        self._timer = consumer.timer.call_repeatedly(_IDLE, self._look_in_time, (consumer,))

    def stop(self, consumer: Consumer) -> None:
        """Find no more: Celery ends the taking of rows next, and waits for what was asked."""
        if self._timer is not None:
            self._timer.cancel()
        if consumer.task_consumer is not None:  # Redis was lost before there was one
            ring(consumer.task_consumer.channel)

    def look_soon(self) -> None:
        """Look with the next tick, and often for a while."""
        self._active, self._looked = time.monotonic(), float("-inf")

    def _look_in_time(self, consumer: Consumer) -> None:
        if time.monotonic() - self._looked >= self._interval() - _IDLE / 2:  # a tick is not on the dot
            self._look(consumer)

    def _interval(self) -> float:
        now = time.monotonic()
        if state.reserved_requests:
            self._active = now
            return _BUSY
        # Of more queues than can be asked at a time it is looked which have rows.
        return _SELDOM if now - self._active > _SOON and not self._turns.crowded(len(self._asked[0])) else _IDLE

    def _look(self, consumer: Consumer) -> None:
        channel, lanes = consumer.task_consumer.channel, [*consumer.app.amqp.queues.consume_from]
        self._looked = time.monotonic()
        # Of a Redis that refuses: `worker.delivery.leases` says it, and what was known before holds.
        with suppress(redis.ResponseError), channel.conn_or_acquire() as client:
            priorities = self._listed(client, lanes)
            asked = {**dict.fromkeys(lanes, DEFAULT_PRIORITY), **priorities}
            rows = rows_in(client, asked) if self._turns.crowded(len(asked)) else []
            with_rows = [queue for queue, waiting in zip(asked, rows, strict=False) if waiting]
            self._turns.ask(asked, with_rows)
            self._consume(consumer.task_consumer, priorities)
            self._wait_for(channel, asked, with_rows)

    def _wait_for(self, channel: Any, asked: Iterable[str], with_rows: Iterable[str]) -> None:
        """Have a worker that waits ask again, where it knew something else when it began to."""
        now_asked = frozenset(asked), frozenset(with_rows)
        if now_asked != self._asked:
            self._asked, self._active = now_asked, time.monotonic()
            ring(channel)
        channel.brpop_timeout = max(_IDLE, self._interval()) if not state.reserved_requests else _IDLE

    def _listed(self, client: redis.Redis, lanes: Iterable[str]) -> dict[str, int]:
        """Return the queues of the runs that there are, with their priorities; strike out those that are over."""
        is_time = self._looked - self._tidied >= _TIDY
        priorities = {}
        for roster in (Roster(client, lane) for lane in lanes):
            listed = roster.listed()
            priorities.update({entry.queue: entry.priority for entry in listed})
            if is_time:
                self._tidied = self._looked
                roster.tidy(listed)
        return priorities

    def _consume(self, tasks: Any, wanted: Collection[str]) -> None:
        if new := [queue for queue in wanted if not tasks.consuming_from(queue)]:
            for queue in new:
                tasks.add_queue(plain_queue(queue))
            tasks.consume()
        now, consumed = time.monotonic(), [queue.name for queue in tasks.queues if lane_and_run(queue.name)]
        self._gone = {queue: self._gone.get(queue, now) for queue in consumed if queue not in wanted}
        for queue, since in self._gone.items():
            # A row that comes now would be nobody's: what was asked before may be answered still.
            if not tasks.channel._in_poll or tasks.channel._brpop_sent_at > since:  # noqa: SLF001
                tasks.cancel_by_queue(queue)
