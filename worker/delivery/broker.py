"""A worker's broker: tried before the model is loaded, and whenever a connection was lost, until it can be used."""

import logging
from time import sleep
from typing import Final, NoReturn

from celery.worker import state

from worker.contract.broker_errors import BROKER_ERRORS, Trouble, is_about_secrets, trouble
from worker.contract.broker_trial import try_broker
from worker.contract.broker_words import described
from worker.contract.errors import RunError
from worker.contract.patience import Patience
from worker.settings.fleet import Settings

logger = logging.getLogger(__name__)

#: Seconds from one attempt to the next.
_APART: Final = 0.5


def await_broker(settings: Settings, lost: BaseException | None = None) -> bool:
    """Return once the broker can be worked with, and whether it was waited for; `lost` is why it could not any more.

    What needs a person ends a worker that begins. One that has its model waits where a password or a certificate is
    changed under it.

    Raises:
        SystemExit: the broker never can be used as it is, or the patience is over: a sentence in the log says why. Or
            the worker was told to stop.

    """
    patience = Patience(settings.broker, logger.warning, limit=settings.broker_patience)
    has_waited = lost is not None
    if lost is not None:
        _bear(patience, lost)
    while True:
        state.maybe_shutdown()
        try:
            try_broker(settings.broker)
        except BROKER_ERRORS as error:
            if trouble(error) is Trouble.PERSON and (lost is None or not is_about_secrets(error)):
                refuse(settings, error)
            _bear(patience, error)
            has_waited = True
            sleep(_APART)
        else:
            patience.over()
            return has_waited


def _bear(patience: Patience, error: BaseException) -> None:
    try:
        patience.bear(error)
    except RunError as over:
        _end(str(over))


def refuse(settings: Settings, error: BaseException) -> NoReturn:
    """End the worker for what only a person can change.

    Raises:
        SystemExit: always.

    """
    _end(f"{described(settings.broker, error)}; mend that, or name another with FLEET_BROKER_URL. No row is lost.")


def _end(sentence: str) -> NoReturn:
    logger.critical("%s", sentence)
    raise SystemExit(1)
