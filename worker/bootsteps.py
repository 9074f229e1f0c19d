"""The Celery bootstep that loads the model and wires the worker together, before the first row is taken."""

from functools import partial
from typing import Any

import redis
from celery import bootsteps
from celery.worker import state

import worker.delivery.remote_control  # noqa: F401 - registers its commands
from worker.batching.batch_runner import BatchRunner
from worker.batching.circuit_breaker import CircuitBreaker
from worker.batching.microbatcher import MicroBatcher
from worker.batching.policy import Policy, without_references
from worker.celery import plain_queue
from worker.contract.messages import queue_name
from worker.contract.outcomes import open_redis
from worker.contract.profiles import PROFILES
from worker.delivery.broker import await_broker
from worker.delivery.isolation import Isolation
from worker.delivery.ownership import Ownership
from worker.delivery.quarantine import Quarantine
from worker.editing.editor import RowEditor
from worker.editing.joining import Joining
from worker.health.retrying import Retrying
from worker.health.shutdown import Shutdown
from worker.health.watchdog import Watchdog
from worker.logs.greeting import greet
from worker.metrics.observer import Observer, Ready
from worker.metrics.opening import open_metrics
from worker.models.protocol import EditModel
from worker.models.selftest import run_selftest
from worker.models.startup import WorkingModel, working_model
from worker.pictures.confine import Limits
from worker.settings.fleet import Settings, load_settings
from worker.tasks import EditTask


class LoadModel(bootsteps.StartStopStep):
    """Loads the model once, has it prove that it works, and registers the task that uses it.

    A load inside the first task would burn that row's time, and the exception of a signal handler is
    swallowed by Celery, which leaves a worker without a model that takes rows. It requires the pool so that
    at shutdown, which goes backwards, waiting rows are given back before the pool waits for its threads.
    """

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        # Workers have nothing to tell each other; with a hundred of them this chatter would be the most of it.
        worker.options.update(without_gossip=True, without_mingle=True)
        self._shutdown: Shutdown | None = None
        self._observer = Observer()
        super().__init__(worker, **options)

    def start(self, worker: Any) -> None:
        """Make the worker ready for rows.

        Raises:
            SystemExit: the port of the metrics is taken, the broker cannot be used, or the model cannot be loaded or
                does not work; a sentence says why. No row was taken.

        """
        settings = load_settings()
        greet(worker.hostname, settings)
        self._observer = observer = open_metrics(settings)
        # First: a wrong one is said before gigabytes are loaded.
        worker.has_waited = await_broker(settings)
        client = open_redis(settings.broker)
        # For what must not wait: where Redis does not answer at once, it is done without.
        hasty = open_redis(settings.broker, patience=None, timeout=1.0)
        quarantine = Quarantine(client, hasty, max_crashes=settings.max_crashes, timeout=settings.visibility_timeout)
        isolation = Isolation()
        self._shutdown = shutdown = Shutdown(isolation, quarantine)
        watchdog = Watchdog(settings.batch_timeout, shutdown.hung)
        working = working_model(self.load, settings, watchdog)
        model, runner = working.model, _runner(working, settings, watchdog, observer)
        ownership = Ownership(client, hasty)
        batcher = MicroBatcher(runner, on_broken=shutdown.broken, objections=ownership.objections)
        shutdown.covers(batcher)
        retrying = Retrying(batcher.closing, attempts=settings.attempts)
        task = EditTask(
            joining=Joining(client, retrying),
            editor=_editor(model, settings, batcher, retrying, client),
            isolation=isolation,
            quarantine=quarantine,
            ownership=ownership,
            retrying=retrying,
            client=client,
            observer=observer,
            facts=lambda: {"profile": model.profile, "weights": model.weights, "busy": round(runner.busy, 3)},
        )
        worker.app.register_task(task)
        if model.profile in PROFILES:  # and is none that has parts apart
            lane = queue_name(settings.model, model.profile, task=settings.image_gen_task)
            worker.app.amqp.queues.select_add(plain_queue(lane))
        shutdown.at_second_sigterm()
        observer.ready(_ready(worker.hostname, settings, working, runner))

    def load(self, settings: Settings) -> EditModel:
        """Load the model that the settings name.

        Raises:
            ModelError: see `worker.models.registry.load_model`.

        """
        # torch and the model's libraries, which only this step needs.
        from worker.models.registry import load_model  # noqa: PLC0415

        return load_model(settings)

    def stop(self, worker: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Finish the batch on the GPU and give the waiting rows back."""
        self._observer.stopping()
        if self._shutdown is not None:
            self._shutdown.warm()


def _ready(name: str, settings: Settings, working: WorkingModel, runner: BatchRunner[Any, Any]) -> Ready:
    return Ready(
        worker=name,
        model=settings.model,
        profile=working.model.profile,
        seconds=working.seconds,
        busy=lambda: runner.busy,
        rows_in_hand=lambda: len(state.reserved_requests),
        gpu_memory=working.model.gpu_memory,
    )


def _runner(working: WorkingModel, settings: Settings, watchdog: Watchdog, observer: Observer) -> BatchRunner[Any, Any]:
    model, warmed_up, _ = working
    return BatchRunner(
        model.edit,
        Policy(budget=warmed_up.budget, max_wait=settings.batch_wait, fitting=without_references(warmed_up.fitting)),
        breaker=CircuitBreaker(
            partial(run_selftest, model, settings.spec, settings.image_gen_task), settings.max_failures
        ),
        watched=watchdog.watched,
        observer=observer,
    )


def _editor(
    model: EditModel, settings: Settings, batcher: MicroBatcher[Any, Any], retrying: Retrying, client: redis.Redis
) -> RowEditor:
    return RowEditor(
        spec=settings.spec,
        task=settings.image_gen_task,
        profile=model.profile,
        weights=model.weights,
        reading=model.reading,
        adapters=model.adapters,
        limits=Limits.of(settings),
        batcher=batcher,
        retrying=retrying,
        client=client,
    )
