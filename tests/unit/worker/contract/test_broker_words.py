"""What is said of a broker that cannot be used."""

import pytest
import redis
from redis._parsers.base import BaseParser  # what makes an exception of a server's line

from worker.contract.broker_url import redis_url
from worker.contract.broker_words import described, reason, what_helps


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("Error 111 connecting to somewhere:6379. Connection refused.", "Connection refused"),
        ("Error -2 connecting to somewhere:6379. Name or service not known.", "Name or service not known"),
        ("Error 2 connecting to /run/my redis.sock. No such file or directory.", "No such file or directory"),
        ("Error 32 while writing to socket. Broken pipe.", "Broken pipe"),
        ("Error while reading from somewhere:6379 : (104, 'Connection reset by peer')", "Connection reset by peer"),
        ("Timeout reading from somewhere:6379", "Timeout reading from somewhere:6379"),
        ("", "ConnectionError"),
    ],
)
def test_why_is_said_without_the_address_again(error: str, reason: str) -> None:
    """The sentence names the broker already; and no user knows numbers of errors or tuples."""
    said = described("redis://:secret@somewhere/0", redis.ConnectionError(error))
    assert said == f"Redis at redis://:**@somewhere/0 does not answer ({reason})"


def test_an_ipv6_address_is_shown_as_it_was_written() -> None:
    """Nothing is escaped, and the password is not shown."""
    said = described(redis_url("redis://:secret@[::1]:6379/0/"), redis.ConnectionError("Connection refused."))
    assert said == "Redis at redis://:**@[::1]:6379/0 does not answer (Connection refused)"


@pytest.mark.parametrize(
    ("line", "helps"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'.", "raise its maxmemory"),
        ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", "its log"),
        ("READONLY You can't write against a read only replica.", "name the master"),
        ("ERR max number of clients reached", "raise its maxclients"),
        ("BUSY Redis is busy running a script.", "SCRIPT KILL"),
        ("LOADING Redis is loading the dataset in memory", None),
        ("NOPERM this user has no permissions to run the 'set' command", None),
    ],
)
def test_who_waits_is_told_what_helps(line: str, helps: str | None) -> None:
    """Where somebody can do something; what only time ends is waited for without advice."""
    found = what_helps(BaseParser.parse_error(line))
    assert found is None if helps is None else helps in str(found)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            redis.ResponseError("Refused because of this. If you want to change that, read on. And on."),
            "Refused because of this",
        ),
        (redis.ResponseError(1000 * "x"), f"{80 * 'x'}…{80 * 'x'}"),
        (redis.InvalidResponse("Protocol Error: b'a row of somebody'"), "what answers does not speak Redis' protocol"),
        (
            redis.sentinel.MasterNotFoundError("No master found for 'm' : <Redis(password=…)> - refused"),
            "No master found for 'm'",
        ),
    ],
    ids=["advice", "long", "foreign", "sentinels"],
)
def test_a_reason_is_short(error: Exception, expected: str) -> None:
    """One sentence of Redis' own, and nothing of objects or of what came over the wire."""
    assert reason(error) == expected
