"""How a worker shuts down: at SIGTERM, at a second one, and by itself where the model is broken or the GPU hangs."""

import logging
import math
import os
import signal
import time
from types import FrameType
from typing import Any, Final, NoReturn

from celery.worker import state

from worker.batching.microbatcher import MicroBatcher
from worker.contract.errors import ModelError
from worker.delivery.isolation import Isolation
from worker.delivery.quarantine import Quarantine

logger = logging.getLogger(__name__)

_FAILURE: Final = 1

#: Seconds that a worker whose GPU hangs has for giving back the rows that are not on it.
_GRACE: Final = 3

#: Seconds within which a second SIGTERM is none.
_TWICE: Final = 1.0


class Shutdown:
    """Ends this process so that no row is lost, and none is blamed for it."""

    def __init__(self, isolation: Isolation, quarantine: Quarantine) -> None:
        self._isolation = isolation
        self._quarantine = quarantine
        self._batcher: MicroBatcher[Any, Any] | None = None

    def covers(self, batcher: MicroBatcher[Any, Any]) -> None:
        """Have a batcher's rows given back, too."""
        self._batcher = batcher

    def warm(self) -> None:
        """At SIGTERM: give back at once every row that waits, here or for the GPU.

        The batch on the GPU is finished and saved: `worker.delivery.thread_pool` waits for its threads, and
        `worker.delivery.leases` goes on renewing their rows meanwhile. Then Celery ends the process with 0.
        """
        self._isolation.close()
        self._quarantine.absolve()  # from here on the end of this process proves nothing
        if self._batcher is not None:
            self._batcher.close()

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
        """Have a second SIGTERM end the process at once; Celery would ignore it.

        One that follows the first at once is the first, told twice: a supervisor tells every process of its group, and
        whoever started this one tells it, too. Celery's own handler is entered once only: the lock of its signals is
        held while they are sent, and a second one that came meanwhile waited for it for ever.
        """
        celerys = signal.getsignal(signal.SIGTERM)
        first, begun = [True], math.inf

        def handle(number: int, frame: FrameType | None) -> None:
            nonlocal begun
            try:
                first.pop()  # at once, whatever comes in between
            except IndexError:
                if time.monotonic() - begun >= _TWICE:
                    self._quit(128 + number)
                return
            begun = time.monotonic()
            if callable(celerys):
                celerys(number, frame)

        signal.signal(signal.SIGTERM, handle)

    def _quit(self, code: int) -> NoReturn:
        self._quarantine.absolve()
        logging.shutdown()
        os._exit(code)
