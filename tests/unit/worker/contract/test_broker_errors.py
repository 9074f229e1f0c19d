"""What a broker's error means: waited for, or a person's; as redis-py reads it from a server, and as kombu wraps it."""

import pytest
import redis
from kombu.exceptions import BatchPublishError, OperationalError
from redis._parsers.base import BaseParser  # what makes an exception of a server's line

from worker.contract.broker_errors import Misaddressed, Trouble, trouble
from worker.contract.broker_words import described

URL = "redis://:s3cret@somewhere/0"

#: Lines of real servers.
PASSING = [
    "READONLY You can't write against a read only replica.",
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "LOADING Redis is loading the dataset in memory",
    "NOREPLICAS Not enough good replicas to write.",
    "CLUSTERDOWN The cluster is down",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "ERR max number of clients reached",
    # Of a script, as Redis 6 says it.
    "ERR Error running script (call to f_c0ffee): @user_script:1: -READONLY You can't write against a replica",
]
FOR_A_PERSON = {
    "WRONGPASS invalid username-password pair or user is disabled.": "does not let in the URL's user",
    "NOAUTH Authentication required.": "does not let in the URL's user",
    "ERR AUTH <password> called without any password configured for the default user."
    " Are you sure your configuration is correct?": "does not let in the URL's user",
    "NOPERM this user has no permissions to run the 'set' command": "does not give the URL's user the rights",
    "MOVED 8000 10.0.0.1:6379": "is a Redis Cluster",
    "CROSSSLOT Keys in request don't hash to the same slot": "is a Redis Cluster",
    "ERR DB index is out of range": "has no database of the number",
    "ERR unknown command 'BRPOP'": "refuses (",
    "DENIED Redis is running in protected mode": "refuses (DENIED",
}


def error(line: str) -> Exception:
    """Read a server's line as redis-py does."""
    found = BaseParser.parse_error(line)
    assert isinstance(found, Exception)
    return found


def wrapped(outer: Exception, cause: Exception) -> Exception:
    """Return an error as kombu raises it from its client's."""
    outer.__cause__ = cause
    return outer


def in_pipeline(cause: Exception, command: str) -> Exception:
    """Return an error as redis-py raises it of a pipeline's command."""
    redis.Redis().pipeline().annotate_exception(cause, 1, [command])
    return cause


@pytest.mark.parametrize("line", PASSING)
def test_what_passes_is_waited_for(line: str) -> None:
    """Alone, of a command in a pipeline, and wrapped by kombu."""
    kinds = {
        trouble(error(line)),
        trouble(in_pipeline(error(line), "SET key value")),
        trouble(wrapped(OperationalError(line), error(line))),
        trouble(wrapped(BatchPublishError("uncertain"), error(line))),
    }
    assert kinds == {Trouble.PASSING}
    assert described(URL, error(line)).startswith("Redis at redis://:**@somewhere/0 refuses for now (")


@pytest.mark.parametrize(("line", "says"), FOR_A_PERSON.items())
def test_what_needs_a_person_says_what_is_wrong(line: str, says: str) -> None:
    """In words, beside Redis' own."""
    assert trouble(error(line)) is Trouble.PERSON
    assert trouble(wrapped(OperationalError(line), error(line))) is Trouble.PERSON
    assert f"Redis at redis://:**@somewhere/0 {says}" in described(URL, error(line))


@pytest.mark.parametrize(
    "away",
    [
        redis.ConnectionError("Connection refused"),
        redis.TimeoutError("no answer"),
        wrapped(OperationalError("refused"), redis.ConnectionError("refused")),
        wrapped(OperationalError("reset"), ConnectionResetError("reset")),
        wrapped(BatchPublishError("uncertain"), redis.ConnectionError("closed by server")),
    ],
    ids=repr,
)
def test_what_does_not_answer_is_away(away: Exception) -> None:
    """However it is wrapped."""
    assert trouble(away) is Trouble.AWAY


def test_what_was_sent_is_not_taken_for_an_answer() -> None:
    """The client quotes a command before its error, and the command may hold anything."""
    refused = in_pipeline(error("ERR unknown command"), "SET note OOM caused error: LOADING")
    assert trouble(refused) is Trouble.PERSON
    assert "LOADING" not in described(URL, refused)


def test_what_is_no_redis_of_ours_needs_a_person() -> None:
    """The sentence is its own."""
    assert trouble(Misaddressed("speaks TLS; write rediss:// in its URL")) is Trouble.PERSON
    assert described(URL, Misaddressed("speaks TLS")) == "Redis at redis://:**@somewhere/0 speaks TLS"
