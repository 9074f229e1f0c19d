"""What libraries say of a Redis that refuses, without the rows that they quote, and without a traceback of theirs."""

import logging
from typing import Final

from worker.contract.broker_errors import BROKER_ERRORS
from worker.contract.broker_words import reason

#: kombu's own, with the whole message, and whatever picture is in it.
_WITH_MESSAGE: Final = "Could not restore message: %r"


def discreet(record: logging.LogRecord) -> bool:
    """Let a line pass, once what Redis' client quotes of a command is out of it."""
    if record.msg == _WITH_MESSAGE:
        record.msg, record.args = "a message cannot be given back to its queue", ()
    if isinstance(record.args, tuple):
        record.args = tuple(reason(one) if isinstance(one, BROKER_ERRORS) else one for one in record.args)
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, BROKER_ERRORS):
        why = reason(error)
        if isinstance(record.args, dict):  # Celery's own, of a task that raised it
            record.args = {**record.args, "exc": why, "traceback": why}
        said = record.getMessage()
        record.msg, record.args = "%s", (said if why in said else f"{said} ({why})",)
        record.exc_info = record.exc_text = None
    return True
