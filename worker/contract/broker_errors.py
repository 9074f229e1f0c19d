"""What a broker's errors mean: which pass by themselves, and which need a person. Said in words, without a password."""

import re
import ssl
from enum import Enum, auto
from typing import Final

import redis
from kombu.exceptions import BatchPublishError, OperationalError

from worker.contract.broker_url import shown
from worker.contract.errors import one_line

#: What the broker's clients raise where it does not answer, or refuses.
BROKER_ERRORS: Final = (redis.RedisError, OperationalError, BatchPublishError, ConnectionError)


class Trouble(Enum):
    """What stands between us and a broker."""

    #: Nothing answers: it restarts, or nothing leads to it at the moment; or it was never there.
    AWAY = auto()
    #: It is there and refuses, until something has passed: a failover, a full memory or disk, too many clients.
    PASSING = auto()
    #: It will refuse until somebody changes its settings, or ours.
    PERSON = auto()


class Misaddressed(redis.RedisError):
    """There is something else at the broker's address than the fleet needs; the text says what, and what to write."""


class NoMaster(redis.RedisError):
    """There are Sentinels, and they have no master that answers: a failover is on its way."""


#: How Redis begins refusals that pass by themselves, or once its operator has made room: in a failover, at a start,
#: where it cannot save or has no replica left, while its memory is full or a script runs.
_PASSING: Final = re.compile(
    r"\b(READONLY|UNBLOCKED|MISCONF|LOADING|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|OOM|MASTERDOWN|BUSY|NOTREADY)\b"
    r"|max number of clients"
)

#: The client's own words before an error of a pipeline: they quote what was sent, which may hold anything.
_QUOTED: Final = re.compile(r"^Command # \d+ \(.*\) of pipeline caused error: ", re.DOTALL)

#: What it makes of the operating system's words: its address stands in the sentence already.
_WITH_ADDRESS: Final = re.compile(
    r"Error -?\d+ (connecting to|while writing to) .*?\. (?P<written>\w.*)"
    r"|Error while reading from .*? ?: \(\d+, '(?P<tuple>.*)'\)"
)

#: What the client has a class for loses its first word, and is told by the class.
_PASSING_CLASSES: Final = (
    NoMaster,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.BusyLoadingError,
    redis.exceptions.TryAgainError,
    redis.exceptions.ClusterDownError,  # and MASTERDOWN, which is one
)

#: Of a Redis Cluster, which sends each key to another server. (The client makes MOVED an ASK.)
_CLUSTER: Final = (redis.exceptions.AskError, redis.exceptions.ClusterCrossSlotError)

#: What is said of refusals that need a person, by the client's classes.
_FOR_A_PERSON: Final = (
    (
        (redis.AuthenticationError, redis.exceptions.AuthenticationWrongNumberOfArgsError),
        "does not let in the URL's user with its password",
    ),
    (redis.exceptions.NoPermissionError, "does not give the URL's user the rights that docs/faults.md names"),
    (_CLUSTER, "is a Redis Cluster, where the fleet needs a single Redis, or one with Sentinel"),
)

#: In the text of the client's error, which is no other than that of a server that is away.
_UNTRUSTED: Final = "certificate verify failed"

_AWAY: Final = (redis.ConnectionError, redis.TimeoutError, ConnectionError, TimeoutError)


def trouble(error: BaseException) -> Trouble:
    """Tell what a broker's error means; what nobody knows needs a person."""
    causes = _causes(error)
    if is_about_secrets(error) or any(isinstance(cause, Misaddressed) for cause in causes):
        return Trouble.PERSON
    if any(_passes(cause) for cause in causes):
        return Trouble.PASSING
    return Trouble.AWAY if any(isinstance(cause, _AWAY) for cause in causes) else Trouble.PERSON


def is_about_secrets(error: BaseException) -> bool:
    """Tell whether the broker does not know us by our password, or we do not know it by its certificate."""
    return any(
        isinstance(cause, redis.AuthenticationError | ssl.SSLCertVerificationError) or _UNTRUSTED in str(cause)
        for cause in _causes(error)
    )


def described(broker: str, error: BaseException) -> str:
    """Say which broker does what, and why: a clause, without the broker's password and without a full stop."""
    told = next((cause for cause in _causes(error) if isinstance(cause, redis.RedisError)), error)
    if isinstance(told, Misaddressed):
        return f"Redis at {shown(broker)} {told}"
    return f"Redis at {shown(broker)} {_does(told, trouble(error))} ({_reason(told)})"


def _does(told: BaseException, kind: Trouble) -> str:
    if kind is Trouble.PERSON:
        if _UNTRUSTED in str(told):
            return "shows a certificate that is not trusted"
        if "DB index" in str(told):
            return "has no database of the number that the URL names"
        return next((words for classes, words in _FOR_A_PERSON if isinstance(told, classes)), "refuses")
    return "does not answer" if kind is Trouble.AWAY else "refuses for now"


def _reason(told: BaseException) -> str:
    text = one_line(_QUOTED.sub("", str(told))).rstrip(".") or type(told).__name__
    if found := _WITH_ADDRESS.fullmatch(text):
        return str(found["written"] or found["tuple"])
    code = getattr(told, "status_code", None)  # the word that the client has taken off
    return f"{code} {text}" if code and code != "ERR" and not text.startswith(code) else text


def _passes(cause: BaseException) -> bool:
    if isinstance(cause, _PASSING_CLASSES):
        return True
    return isinstance(cause, redis.RedisError) and _PASSING.search(_QUOTED.sub("", str(cause))) is not None


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and what it was raised from: kombu wraps those of the client."""
    causes = [error]
    while (cause := causes[-1].__cause__) is not None and cause not in causes:
        causes.append(cause)
    return causes
