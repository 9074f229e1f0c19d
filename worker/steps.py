"""The Celery bootstep that loads the model and wires the worker together, before the first row is taken."""

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from celery import bootsteps

import worker.control  # noqa: F401 - registers its commands
from worker.batching import Policy
from worker.breaker import Breaker
from worker.editing import Limits, RowEditor
from worker.endings import Endings
from worker.errors import ModelError, one_line
from worker.holders import Holders
from worker.lanes import Lanes
from worker.microbatcher import MicroBatcher
from worker.outcomes import open_redis
from worker.patience import Patience
from worker.proof import prove
from worker.running import BatchRunner
from worker.settings import Settings, load_settings
from worker.suspects import Suspects
from worker.tasks import EditTask
from worker.watchdog import Watchdog

if TYPE_CHECKING:
    from worker.models import EditModel

logger = logging.getLogger(__name__)


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
        self._lanes = Lanes()
        self._batcher: MicroBatcher[Any, Any] | None = None
        self._suspects: Suspects | None = None
        super().__init__(worker, **options)

    def start(self, worker: Any) -> None:
        """Make the worker ready for rows.

        Raises:
            SystemExit: the model cannot be loaded, or does not work; a sentence says why. No row was taken.

        """
        settings = load_settings()
        begun = time.monotonic()
        client = open_redis(settings.broker)
        # For what must not wait: where Redis does not answer at once, it is done without.
        hasty = open_redis(settings.broker, patience=None, timeout=1.0)
        self._suspects = Suspects(client, hasty, max_crashes=settings.max_crashes, timeout=settings.visibility_timeout)
        endings = Endings(self._suspects)
        watchdog = Watchdog(settings.batch_timeout, endings.hung)
        model = self._working_model(settings, watchdog)
        holders = Holders(client, hasty)
        self._batcher = MicroBatcher(
            _runner(model, settings, watchdog), on_broken=endings.broken, objections=holders.objections
        )
        patience = Patience(self._batcher.closing, attempts=settings.attempts)
        limits = Limits(
            max_pixels=settings.max_pixels, input_root=settings.input_root, output_root=settings.output_root
        )
        editor = RowEditor(spec=settings.spec, limits=limits, batcher=self._batcher, patience=patience, client=client)
        task = EditTask(
            editor=editor,
            lanes=self._lanes,
            suspects=self._suspects,
            holders=holders,
            patience=patience,
            client=client,
        )
        worker.app.register_task(task)
        endings.at_second_sigterm()
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
        self._lanes.close()
        if self._suspects is not None:
            self._suspects.absolve()  # from here on the end of this process proves nothing
        if self._batcher is not None:
            self._batcher.close()

    def _working_model(self, settings: Settings, watchdog: Watchdog) -> "EditModel":
        try:
            with _ended_by_signals():
                model = self.load(settings)
                with watchdog.watched("the built-in picture"):
                    prove(model, settings.spec)
        except ModuleNotFoundError as error:
            _refuse(
                f"{error.name} is not installed; install the project with its worker extra: pip install '.[worker]'."
            )
        except ModelError as error:
            _refuse(str(error))
        except Exception as error:  # whatever torch and a driver come to
            reason = one_line(f"{type(error).__name__}: {error}")
            _refuse(f"The model fails on the built-in picture ({reason}); the weights, or this GPU, are broken.")
        return model


def _runner(model: "EditModel", settings: Settings, watchdog: Watchdog) -> BatchRunner[Any, Any]:
    return BatchRunner(
        model.edit,
        Policy(batch_size=settings.batch_size, max_wait=settings.batch_wait),
        breaker=Breaker(partial(prove, model, settings.spec), settings.max_failures),
        watched=watchdog.watched,
    )


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
