"""How a worker's log is set up, by Celery's signals: before it says its first word."""

import logging
import os
import sys
import warnings
from typing import IO, Any, Final

from celery import signals
from celery.exceptions import SecurityWarning

from worker.logs.discreet import discreet
from worker.logs.formats import json_lines
from worker.settings.fleet import load_settings

#: Loggers that follow every row: received, begun, succeeded, given back.
ROW_BY_ROW: Final = ("celery.worker.strategy", "celery.app.trace", "worker.rows")


def set_up_logs() -> None:
    """Have Celery's signals set up the log of whatever worker this process becomes."""
    signals.celeryd_init.connect(_hush, weak=False)
    signals.after_setup_logger.connect(_form, weak=False)
    signals.after_setup_task_logger.connect(_form, weak=False)


def _hush(instance: Any, **_: Any) -> None:
    """Leave out Celery's banner, and its warning of a superuser: it is about pickles, which our workers refuse."""
    instance.quiet = True
    warnings.filterwarnings("ignore", category=SecurityWarning)
    if os.environ.get("FLEET_LOG_FORMAT") == "json":  # by itself: the settings may be what is wrong
        # What Celery says in its handlers of signals, where a logger must not be used, it writes by a function there.
        vars(sys.modules[type(instance).__module__])["safe_say"] = _say_as_json


def _form(logger: logging.Logger, loglevel: int, **_: Any) -> None:
    settings = load_settings()
    for handler in logger.handlers:
        handler.addFilter(discreet)
        if settings.log_format == "json":
            handler.setFormatter(json_lines())
    if not settings.log_rows and loglevel > logging.DEBUG:
        for name in ROW_BY_ROW:
            logging.getLogger(name).setLevel(logging.ERROR)


def _say_as_json(words: str, stream: IO[str] | None) -> None:
    if stream is not None:
        record = logging.LogRecord("celery.apps.worker", logging.INFO, "", 0, words, None, None)
        os.write(stream.fileno(), f"{json_lines().format(record)}\n".encode())
