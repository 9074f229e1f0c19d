"""A worker's log: text or JSON, every row or only what matters, and nothing that tells nothing."""

import json
import logging
import sys
import warnings
from collections.abc import Iterator
from io import StringIO

import pytest
from celery import signals
from celery.exceptions import SecurityWarning

from worker.logs.formats import json_lines
from worker.logs.setup import ROW_BY_ROW, set_up_logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave levels, and the filter of warnings, as they were."""
    before = {name: logging.getLogger(name).level for name in ROW_BY_ROW}
    with warnings.catch_warnings():
        yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def formed(level: int = logging.INFO) -> tuple[logging.Logger, StringIO]:
    """Make a logger as Celery does, and let its signal go out; return it, and where it writes."""
    written = StringIO()
    logger = logging.getLogger("some.room")
    logger.handlers = [logging.StreamHandler(written)]
    set_up_logs()
    signals.after_setup_logger.send(
        sender=None, logger=logger, loglevel=level, logfile=None, format="%(message)s", colorize=False
    )
    return logger, written


def test_json_lines_have_a_lines_own_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time with its zone, level, logger and message; what a line has beside its text is there by its name."""
    monkeypatch.setenv("FLEET_LOG_FORMAT", "json")
    logger, written = formed()
    logger.warning("row %s failed: é", "r.7", extra={"event": "row-failed", "row": 7, "data": {"args": "a picture"}})
    line = json.loads(written.getvalue())
    assert written.getvalue().count("\n") == 1
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "WARNING", "logger": "some.room", "message": "row r.7 failed: é", "event": "row-failed", "row": 7,
    }  # fmt: skip


def test_a_traceback_is_one_line_of_json() -> None:
    """A collector of logs gets it as a field, and not as lines of nobody's."""
    try:
        int("no number")
    except ValueError:
        record = logging.LogRecord("a", logging.ERROR, "", 0, "failed", None, sys.exc_info())
    text = json_lines().format(record)
    assert "\n" not in text
    assert "no number" in json.loads(text)["exc_info"]


def test_text_stays_as_celery_writes_it() -> None:
    """Where nobody asks for JSON, the formatter is left alone."""
    logger, written = formed()
    logger.warning("as it is")
    assert written.getvalue() == "as it is\n"


@pytest.mark.parametrize(
    ("log_rows", "level", "said"),
    [("", logging.INFO, False), ("true", logging.INFO, True), ("", logging.DEBUG, True)],
)
def test_every_row_is_followed_only_on_demand(
    monkeypatch: pytest.MonkeyPatch, log_rows: str, level: int, *, said: bool
) -> None:
    """Received, begun, succeeded: for a million rows these are millions of lines."""
    monkeypatch.setenv("FLEET_LOG_ROWS", log_rows)
    for name in ROW_BY_ROW:
        logging.getLogger(name).setLevel(logging.INFO)
    formed(level)
    assert {logging.getLogger(name).isEnabledFor(logging.INFO) for name in ROW_BY_ROW} == {said}


def test_neither_banner_nor_superuser_is_spoken_of() -> None:
    """Celery asks both right after this signal."""

    class Worker:
        """As much of a worker as the signal's receiver touches."""

        quiet = False

    worker = Worker()
    set_up_logs()
    signals.celeryd_init.send(sender="w", instance=worker, conf=None, options={})
    assert worker.quiet
    with warnings.catch_warnings(record=True) as warned:
        warnings.warn(SecurityWarning("superuser"), stacklevel=1)
    assert warned == []
