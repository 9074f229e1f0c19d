"""How a worker shuts down before its work is done: a broken model, a GPU that hangs, a second SIGTERM."""

import logging
import os
import signal
import time
from typing import Final, NoReturn

from celery import signals
from celery.worker import state

from worker.contract.errors import ModelError
from worker.delivery.quarantine import Quarantine

logger = logging.getLogger(__name__)

_FAILURE: Final = 1

#: Seconds that a worker whose GPU hangs has for giving back the rows that are not on it.
_GRACE: Final = 3


class Shutdown:
    """Ends this process so that no row is lost, and none is blamed for it."""

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine

    def broken(self, error: ModelError) -> None:
        """Stop taking rows, give back what is in hand, and exit non-zero."""
        logger.critical(
            "%s No row was failed for this: all are given back. The worker ends; started again, it edits a built-in"
            " picture before it takes rows.",
            error,
        )
        state.should_stop = _FAILURE  # Celery's own flag, which its event loop looks at

    def hung(self, rows: str) -> NoReturn:
        """Give back the rows that are not on the GPU, and exit non-zero; those on it come back by their timeout.

        `rows`: what the GPU was given. A thread in a driver cannot be ended, so Celery would wait for it for ever.
        """
        logger.critical(
            "The GPU hangs: FLEET_BATCH_TIMEOUT has passed since it was given %s. The worker ends; these rows stay"
            " unacknowledged and go to others.",
            rows,
        )
        state.should_stop = _FAILURE
        time.sleep(_GRACE)
        self._quit(_FAILURE)

    def at_second_sigterm(self) -> None:
        """Have a second SIGTERM end the process at once; Celery would ignore it."""

        def quit_now(number: int, _: object) -> NoReturn:
            self._quit(128 + number)

        def first(sig: str, **_: object) -> None:
            if sig == "SIGTERM":
                signal.signal(signal.SIGTERM, quit_now)

        signals.worker_shutting_down.connect(first, weak=False)

    def _quit(self, code: int) -> NoReturn:
        self._quarantine.absolve()
        logging.shutdown()
        os._exit(code)
