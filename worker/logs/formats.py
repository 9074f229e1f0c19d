"""A line of the log as a JSON object, for programs that collect logs."""

from typing import Final

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

#: What Celery hangs on its records: a task's arguments, in which a whole picture may be, and its name.
_CELERYS: Final = ("data", "task_id", "task_name")


def json_lines() -> JsonFormatter:
    """Make the formatter: time, level, logger and message, and beside them whatever fields a line has of its own."""
    return JsonFormatter(
        ["levelname", "name", "message"],
        rename_fields={"levelname": "level", "name": "logger"},
        reserved_attrs=[*RESERVED_ATTRS, *_CELERYS],
        timestamp="time",
        json_ensure_ascii=False,
    )
