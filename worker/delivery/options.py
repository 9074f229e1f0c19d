"""The bootstep that refuses those options of `celery worker` that would undo the fleet, before the model is loaded.

Where rows wait, how many are in hand and in which threads they run is one design: a worker that differs in one of them
would run, and would lose acknowledgements, hoard rows or leave its GPU idle in silence.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from celery import bootsteps
from celery.worker import WorkController

from worker.celery import configuration
from worker.contract.counting import counted
from worker.delivery.thread_pool import EventLoopThreadPool
from worker.settings.fleet import Settings, load_settings

logger = logging.getLogger(__name__)

#: Options that are refused whatever their value, as Celery names them, and what to do instead.
REFUSED: Final = {
    "autoscale": "a worker's threads are as many as its rows in hand, always; set FLEET_ROWS_IN_FLIGHT instead",
    "time_limit": "threads cannot be ended, so Celery would ignore it; set FLEET_BATCH_TIMEOUT instead",
    "soft_time_limit": "threads cannot be ended, so Celery would ignore it; set FLEET_BATCH_TIMEOUT instead",
    "max_tasks_per_child": "a worker has threads and no child processes; leave it out",
    "max_memory_per_child": "a worker has threads and no child processes; leave it out, and have the supervisor limit"
    " the memory of the whole worker",
    "purge": "it would throw away the waiting rows of every run; `producer cancel DIR` takes back those of one",
    "beat": "the fleet has nothing to schedule, and a worker with a GPU must not fork; leave it out",
}

#: Options that are refused unless they say what the fleet does anyway.
COMPARED: Final = ("pool", "concurrency", "prefetch_multiplier", "queues", "exclude_queues")


class RefuseOptions(bootsteps.Step):
    """Ends a worker whose options contradict the fleet's own configuration, in one sentence that says what to set."""

    def __init__(self, worker: WorkController, **options: Any) -> None:
        """Look at a worker that has read its options, and has started nothing yet.

        Raises:
            SystemExit: an option is refused.

        """
        super().__init__(worker, **options)
        sentence = next(refusals(worker, options, load_settings()), None)
        if sentence is not None:
            logger.critical("%s", sentence)  # and not to stderr: of a detached worker nobody reads it
            raise SystemExit(1)


def refusals(worker: WorkController, options: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    """Say of each option that contradicts the fleet's configuration why it is refused, and what to set instead."""
    if not issubclass(worker.pool_cls, EventLoopThreadPool):
        yield _sentence("pool", "the fleet has a pool of its own, threads that share one model; leave it out")
    for name, why in REFUSED.items():
        # A time limit may come from Celery's configuration, too; the worker has what holds.
        if options.get(name) or getattr(worker, name, None):
            yield _sentence(name, why)
    if (rows := worker.concurrency) != settings.in_flight:
        why = f"a worker holds {counted(settings.in_flight, 'row')} at a time, as many as keep its batches full"
        yield _sentence("concurrency", f"{why}; leave it out, or set FLEET_ROWS_IN_FLIGHT instead", rows)
    if (times := worker.prefetch_multiplier) != 1:
        why = "a worker would hoard rows that others could edit"
        yield _sentence("prefetch_multiplier", f"{why}; leave it out, or set FLEET_ROWS_IN_FLIGHT instead", times)
    if (queues := [*worker.app.amqp.queues.consume_from]) != [settings.lane]:
        why = f"a worker takes the rows of its own model, from {settings.lane}, and no others"
        instead = "leave it out, and choose the model by FLEET_DIFFUSER_MODEL_NAME and FLEET_HF_MODEL_NAME_OR_PATH"
        yield _sentence("queues" if queues else "exclude_queues", f"{why}; {instead}", ",".join(queues))
    if os.environ.get("REMAP_SIGTERM") == "SIGQUIT":
        yield "REMAP_SIGTERM is refused: a worker that is told to end must give its rows back first; unset it."
    yield from _foreign(worker.app.conf, settings)


def _foreign(conf: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    """Name what Celery was told apart from its options, as in `celery worker -- task.acks_late=false`."""
    for name, value in configuration(settings).items():
        if name != "task_queues" and conf[name] != value:
            yield (
                f"Celery's setting {name} is refused: the fleet relies on its own, and FLEET_* variables are all there"
                " is to set; leave it out."
            )


def _sentence(option: str, why: str, value: object = "") -> str:
    variable = f"CELERY_WORKER_{option.upper()}"  # which Celery's command line reads, too
    name = variable if variable in os.environ else f"--{option.replace('_', '-')}"
    return f"{name}{f'={value}' * bool(value)} is refused: {why}."
