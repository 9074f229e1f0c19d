"""A broker that fails: whether it is waited for, and what is said of it."""

import pytest
import redis

from producer.run.retrying import Retrying
from worker.contract.errors import RunError
from worker.settings.fleet import load_settings

SETTINGS = load_settings(broker_url="redis://:secret@somewhere/0")


def wrapped(error: Exception, cause: Exception) -> Exception:
    """Return an error as kombu raises it from its client's."""
    error.__cause__ = cause
    return error


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
    begun = "Redis at redis://:**@somewhere/0 does not answer (Connection refused); waiting for it."
    assert said == [begun, "Redis answers again, after 0 s."] * 2
    assert len(pauses) == 100


def test_waiting_ends_where_nobody_will_start_it_again() -> None:
    """What watches over a Redis of our own may end the waiting."""

    def ended() -> None:
        raise RunError("It has ended.")

    def ask() -> None:
        raise redis.ConnectionError

    with pytest.raises(RunError, match="It has ended"):
        Retrying(SETTINGS, lambda _: None, watch=ended)(ask)
