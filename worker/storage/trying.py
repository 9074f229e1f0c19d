"""Asking a store or a server a few times, with back-off, where its error may pass."""

from collections.abc import Callable
from typing import Final, TypeVar

import tenacity

from worker.contract.errors import RowError, TransientError
from worker.storage.meaning import meaning_of

Answer = TypeVar("Answer")

# Few and quick, for what is over at once: a worker's row is tried again for longer, by `worker.health.retrying`.
_ATTEMPTS: Final = tenacity.Retrying(
    retry=tenacity.retry_if_exception_type(TransientError),
    stop=tenacity.stop_after_attempt(4),
    wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=5, jitter=0.3),
    reraise=True,
)


def trying(ask: Callable[[], Answer]) -> Answer:
    """Ask up to four times, over one to two seconds.

    Raises:
        RowError: the answer is none, by its meaning.
        TransientError: nor is the last of them, for a reason that may pass.

    """

    def once() -> Answer:
        try:
            return ask()
        except (RowError, MemoryError):
            raise
        except Exception as error:  # of whichever library
            raise meaning_of(error) from None

    return _ATTEMPTS(once)
