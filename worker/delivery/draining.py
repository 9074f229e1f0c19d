"""The bootstep that ends a worker which was asked to drain: it takes no more rows, and finishes those in hand."""

import logging
from typing import Any, Final

from celery import bootsteps
from celery.platforms import EX_OK
from celery.worker import state
from celery.worker.consumer import Consumer

logger = logging.getLogger(__name__)

#: Seconds between two looks whether a row is in hand.
_INTERVAL: Final = 0.2


class Drain(bootsteps.StartStopStep):
    """Drains its worker on demand; `producer drain` asks for it.

    At SIGTERM rows that wait are given back, so that the end is near. Here they are edited first, since whoever drains
    has time, and a small fleet may have nobody to give them to; but for those that an idle worker asks for
    (`worker.delivery.rebalancing`). SIGTERM during it is as ever.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Consumer, **options: Any) -> None:
        self._consumer = consumer
        self.has_begun = False
        consumer.drain = self
        super().__init__(consumer, **options)

    def begin(self) -> None:
        """Take no more rows, and end the worker once it has none; again changes nothing."""
        if not self.has_begun:
            self.has_begun = True
            rows = len(state.reserved_requests)
            logger.info("draining: no more rows are taken; %d are in hand, and finished before the worker ends", rows)
            self._drain()

    def start(self, consumer: Consumer) -> None:  # noqa: ARG002 - Celery's signature
        """Go on after a reconnect, which clears the timers, and which may have brought queues back."""
        if self.has_begun:
            self._drain()

    def _drain(self) -> None:
        for queue in [*self._consumer.app.amqp.queues.consume_from]:
            # As Celery's own `cancel_consumer`: a row that Redis has already handed out goes back to its queue.
            self._consumer.call_soon(self._consumer.cancel_task_queue, queue)
        self._consumer.call_soon(self._consumer.finding.look_soon)
        self._consumer.timer.call_repeatedly(_INTERVAL, self._end_without_rows)

    def _end_without_rows(self) -> None:
        if self._consumer.task_consumer.queues:  # a row may still come of them
            return
        if not state.reserved_requests and state.should_stop is None:
            logger.info("drained: no row is in hand any more; the worker ends")
            state.should_stop = EX_OK  # Celery's own flag, which its event loop looks at: as at SIGTERM
