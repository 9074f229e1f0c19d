"""Celery bootsteps: load the model before the first row is taken, and keep a living worker's messages its own."""

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from celery import bootsteps
from celery.worker import WorkController
from celery.worker.consumer import Consumer
from celery.worker.control import inspect_command

from worker.batching import Policy
from worker.contract import queue_name
from worker.errors import ModelError
from worker.microbatcher import MicroBatcher
from worker.outcomes import open_redis
from worker.settings import Settings, load_settings
from worker.tasks import EditTask

if TYPE_CHECKING:
    from worker.models import EditModel

logger = logging.getLogger(__name__)


class LoadModel(bootsteps.StartStopStep):
    """Loads the model once, before the consumer takes its first row.

    A load inside the first task would burn that row's time, and the exception of a signal handler is
    swallowed by Celery, which leaves a worker without a model that takes rows. It requires the pool so that
    at shutdown, which goes backwards, waiting rows are given back before the pool waits for its threads.
    """

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        # Workers have nothing to tell each other; with a hundred of them this chatter would be the most of it.
        worker.options.update(without_gossip=True, without_mingle=True)
        self._batcher: MicroBatcher[Any, Any] | None = None
        super().__init__(worker, **options)

    def start(self, worker: Any) -> None:
        """Load the model and register the task that uses it.

        Raises:
            SystemExit: the model cannot be loaded; a sentence says why. No row was taken.

        """
        settings = load_settings()
        begun = time.monotonic()
        try:
            with _ended_by_signals():
                model = self.load(settings)
        except ModuleNotFoundError as error:
            _refuse(
                f"{error.name} is not installed; install the project with its worker extra: pip install '.[worker]'."
            )
        except ModelError as error:
            _refuse(str(error))
        policy = Policy(batch_size=settings.batch_size, max_wait=settings.batch_wait)
        self._batcher = MicroBatcher(model.edit, policy)
        task = EditTask(
            spec=settings.spec,
            max_pixels=settings.max_pixels,
            batcher=self._batcher,
            client=open_redis(settings.broker),
        )
        worker.app.register_task(task)
        logger.info("model ready: %s after %.1f s", settings.model, time.monotonic() - begun)

    def load(self, settings: Settings) -> "EditModel":
        """Load the model that the settings name.

        Raises:
            ModelError: see `worker.models.load_model`.

        """
        # torch and the model's libraries, which only this step needs.
        from worker.models import load_model  # noqa: PLC0415

        return load_model(settings)

    def stop(self, worker: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Finish the batch on the GPU and give the waiting rows back."""
        if self._batcher is not None:
            self._batcher.close()


class KeepMessages(bootsteps.StartStopStep):
    """Renews the visibility of every message that this worker holds, four times per timeout.

    Redis' transport gives a message to another worker once `visibility_timeout` has passed since it was
    received, however healthy its holder. So either a dead worker's rows come back late, or a living one's
    are edited twice. With the renewal the timeout can be short: only a dead worker's messages expire.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Consumer, **options: Any) -> None:
        self._timer: Any = None
        super().__init__(consumer, **options)

    def start(self, consumer: Consumer) -> None:
        """Begin to renew; called again after each reconnect, which clears the timers."""
        interval = consumer.app.conf.broker_transport_options["visibility_timeout"] / 4
        self._timer = consumer.timer.call_repeatedly(interval, self._renew, (consumer,))

    def shutdown(self, consumer: Consumer) -> None:  # noqa: ARG002 - Celery's signature
        """End the renewal. Not in `stop`, which comes at SIGTERM, while rows are still on the GPU."""
        if self._timer is not None:
            self._timer.cancel()

    def _renew(self, consumer: Consumer) -> None:
        channel = consumer.task_consumer.channel
        held = list(channel.qos._delivered)  # noqa: SLF001 - kombu has no public view of the tags it holds
        if held:
            now = time.time()
            with channel.conn_or_acquire() as client:
                # xx: a message that was acknowledged meanwhile must not come back as an entry without a body.
                client.zadd(channel.unacked_index_key, dict.fromkeys(held, now), xx=True)


@inspect_command()
def fleet(state: WorkController) -> dict[str, Any]:  # noqa: ARG001 - Celery's signature
    """Say which model this worker has loaded; `producer status` asks every worker."""
    settings = load_settings()
    return {"model": settings.model, "queue": queue_name(settings.model), "batch_size": settings.batch_size}


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """End at once when told to stop while loading: Celery would only look once the load, or a download, is over."""

    def end(*_: object) -> NoReturn:
        raise SystemExit(0)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _refuse(sentence: str) -> NoReturn:
    logger.critical(sentence)
    raise SystemExit(1)
