"""What a worker's log says, whether its lines are text or JSON."""

import json
from typing import NamedTuple


class Said(NamedTuple):
    """A line of a log."""

    text: str
    is_critical: bool


def said_in(line: str) -> Said:
    """Read a line: Celery's, one of JSON (`worker.logs`), or whatever else a process wrote."""
    if line.startswith("{"):
        try:
            fields = json.loads(line)
            return Said(str(fields["message"]), fields["level"] == "CRITICAL")
        except (ValueError, LookupError):
            return Said(line, is_critical=False)
    before, _, text = line.partition("] ")
    return Said(text or line, ": CRITICAL/" in before)
