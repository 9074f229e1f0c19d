"""A worker's log is understood in either form."""

import pytest

from producer.local.logs import said_in


@pytest.mark.parametrize(
    ("line", "text", "is_critical"),
    [
        ("[2026-11-27 03:13:13,163: INFO/MainProcess] gpu0@vm ready.", "gpu0@vm ready.", False),
        ("[2026-11-27 03:13:13,163: CRITICAL/MainProcess] No GPU [0] here.", "No GPU [0] here.", True),
        ('{"level": "CRITICAL", "logger": "x", "message": "No GPU.", "time": "2026"}', "No GPU.", True),
        ('{"level": "INFO", "logger": "x", "message": "gpu0@vm ready."}', "gpu0@vm ready.", False),
        ("Segmentation fault", "Segmentation fault", False),
        ("{'not': 'JSON'}", "{'not': 'JSON'}", False),
        ('{"json": "of another"}', '{"json": "of another"}', False),
    ],
)
def test_a_line_is_understood(line: str, text: str, is_critical: bool) -> None:  # noqa: FBT001 - a case
    """What it says, and whether a worker ends by it."""
    assert said_in(line) == (text, is_critical)
