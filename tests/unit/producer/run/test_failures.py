"""A broker that fails: whether it is waited for, and what is said of it."""

import pytest
import redis
from kombu.exceptions import BatchPublishError, OperationalError

from producer.run.failures import is_away, unanswering
from producer.run.retrying import Retrying
from worker.contract.errors import RunError
from worker.settings.fleet import load_settings

SETTINGS = load_settings(broker_url="redis://:secret@somewhere/0")


def wrapped(error: Exception, cause: Exception) -> Exception:
    """Return an error as kombu raises it from its client's."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "is_waited_for"),
    [
        (redis.ConnectionError("refused"), True),
        (redis.TimeoutError("no answer"), True),
        (redis.exceptions.BusyLoadingError("Redis is loading the dataset in memory"), True),
        (redis.AuthenticationError("WRONGPASS"), False),
        (redis.ResponseError("MISCONF"), False),
        (redis.exceptions.OutOfMemoryError("command not allowed"), False),
        (wrapped(OperationalError("refused"), redis.ConnectionError("refused")), True),
        (wrapped(OperationalError("reset"), ConnectionResetError("reset")), True),
        (wrapped(OperationalError("WRONGPASS"), redis.AuthenticationError("WRONGPASS")), False),
        (wrapped(BatchPublishError("uncertain"), redis.ConnectionError("closed by server")), True),
        (wrapped(BatchPublishError("uncertain"), redis.exceptions.OutOfMemoryError("full")), False),
    ],
    ids=repr,
)
def test_what_is_waited_for(error: Exception, *, is_waited_for: bool) -> None:
    """A Redis that is away or starting is waited for; one that answers and refuses is not."""
    assert is_away(error) is is_waited_for


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
    said = unanswering(SETTINGS, redis.ConnectionError(error))
    assert said == f"Redis at redis://:**@somewhere/0 does not answer ({reason})"


def test_an_ipv6_address_is_shown_as_it_was_written() -> None:
    """Nothing is escaped, and the password is not shown."""
    settings = load_settings(broker_url="redis://:secret@[::1]:6379/0/")
    said = unanswering(settings, redis.ConnectionError("Connection refused."))
    assert said == "Redis at redis://:**@[::1]:6379/0 does not answer (Connection refused)"


def test_an_outage_is_said_once_and_borne() -> None:
    """The sentence comes once per outage, names the broker without its password, and the answer comes at last."""
    said: list[str] = []
    pauses: list[float] = []
    retrying = Retrying(SETTINGS, said.append, sleep=pauses.append)
    for _ in range(2):
        failures = iter([redis.ConnectionError("Connection refused.")] * 50)

        def ask() -> str:
            for failure in failures:  # noqa: B023
                raise failure
            return "answer"

        assert retrying(ask) == "answer"
    assert said == ["Redis at redis://:**@somewhere/0 does not answer (Connection refused); waiting for it."] * 2
    assert len(pauses) == 100


def test_waiting_ends_where_nobody_will_start_it_again() -> None:
    """What watches over a Redis of our own may end the waiting."""

    def ended() -> None:
        raise RunError("It has ended.")

    def ask() -> None:
        raise redis.ConnectionError

    with pytest.raises(RunError, match="It has ended"):
        Retrying(SETTINGS, lambda _: None, watch=ended)(ask)
