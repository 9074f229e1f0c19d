"""What stands in a log of a Redis that refuses."""

import logging
import sys

import pytest
import redis

from worker.logs.discreet import discreet

#: What the client quotes.
QUOTED = "Command # 1 (LPUSH queue my diary) of pipeline caused error: "


def record(words: str, *arguments: object, error: Exception | None = None) -> logging.LogRecord:
    """Make a line that tells of an error, as libraries do."""
    found = None
    if error is not None:
        try:
            raise error
        except type(error):
            found = sys.exc_info()
    return logging.LogRecord("kombu", logging.CRITICAL, "", 0, words, arguments, found)


def said(line: logging.LogRecord) -> str:
    """Return what a log has of it."""
    assert discreet(line)
    return logging.Formatter().format(line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            record("Couldn't ack %r, reason:%r", "7", error := redis.ResponseError(f"{QUOTED}wrong kind"), error=error),
            "Couldn't ack '7', reason:'wrong kind'",
        ),
        (
            record(
                "Task %(name)s raised: %(exc)s\n%(traceback)s",
                {"name": "t", "exc": repr(error), "traceback": f"…\n{error}"},
                error=error,
            ),
            "Task t raised: wrong kind\nwrong kind",
        ),
        (record("lost", error=redis.ResponseError(f"{QUOTED}wrong kind")), "lost (wrong kind)"),
        (record("100 %", error=redis.ConnectionError("refused")), "100 % (refused)"),
        (
            record("Could not restore message: %r", {"body": "my diary"}, error=redis.ResponseError("refused")),
            "a message cannot be given back to its queue (refused)",
        ),
    ],
)
def test_nothing_is_quoted(line: logging.LogRecord, expected: str) -> None:
    """The reason stays; the command, the message and the client's own traceback go."""
    assert said(line) == expected


def test_other_errors_keep_their_traceback() -> None:
    """They are nobody's payload, and somebody has to find them."""
    assert said(record("failed: %s", "why", error=ValueError("no number"))).endswith("ValueError: no number")
