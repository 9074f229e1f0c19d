"""Has a model ready before the first row is taken, or ends the worker in one sentence."""

import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, NoReturn

from worker.batching.budget import Budget
from worker.contract.errors import ModelError, one_line
from worker.health.watchdog import Watchdog
from worker.models.protocol import EditModel
from worker.models.warmup import WarmedUp, warm_up
from worker.settings.fleet import Settings

logger = logging.getLogger(__name__)


class WorkingModel(NamedTuple):
    """A model that has proved that it works."""

    model: EditModel
    warmed_up: WarmedUp
    #: Seconds of its start, by part.
    seconds: dict[str, float]


def working_model(load: Callable[[Settings], EditModel], settings: Settings, watchdog: Watchdog) -> WorkingModel:
    """Load a model, compile it, and have it prove that it works; return it, and what came of that.

    Raises:
        SystemExit: it cannot be loaded, or does not work; a sentence in the log says why.

    """
    begun = time.monotonic()
    try:
        with _ended_by_signals():
            model = load(settings)
            loaded = time.monotonic() - begun
            warmed_up = warm_up(
                model,
                settings.spec,
                buckets=settings.warm_buckets,
                budget=Budget(
                    images=settings.batch_size,
                    at=settings.spec.square,
                    most=settings.most_images,
                    task=settings.image_gen_task,
                ),
                watched=watchdog.watched,
            )
    except ModuleNotFoundError as error:
        _refuse(f"{error.name} is not installed; install the project with its worker extra: pip install '.[worker]'.")
    except ModelError as error:
        _refuse(str(error))
    except Exception as error:  # whatever torch and a driver come to
        reason = one_line(f"{type(error).__name__}: {error}")
        _refuse(f"The model fails on the built-in picture ({reason}); the weights, or this GPU, are broken.")
    parts = {"libraries and weights": loaded, "compile": warmed_up.compiling, "warm-up": warmed_up.proving}
    listed = ", ".join(f"{part} {seconds:.1f} s" for part, seconds in parts.items())
    logger.info("model ready: %s after %.1f s (%s)", settings.model, time.monotonic() - begun, listed)
    return WorkingModel(model, warmed_up, parts)


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
