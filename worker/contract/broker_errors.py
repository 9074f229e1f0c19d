"""What a broker's errors mean: which pass by themselves, and which need a person; in words: `broker_words`."""

import re
import ssl
from enum import Enum, auto
from typing import Final

import redis
from kombu.exceptions import BatchPublishError, OperationalError

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

#: The client's own words before an error of a pipeline, and a server's of a command that it does not know: both quote
#: what was sent, which may hold anything.
_QUOTED: Final = re.compile(
    r"^Command # \d+ \(.*\) of pipeline caused error: |, with args beginning with: .*", re.DOTALL
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

#: In the text of the client's error, which is no other than that of a server that is away.
UNTRUSTED: Final = "certificate verify failed"

_AWAY: Final = (redis.ConnectionError, redis.TimeoutError, ConnectionError, TimeoutError)


def trouble(error: BaseException) -> Trouble:
    """Tell what a broker's error means; what nobody knows needs a person."""
    causes = causes_of(error)
    if is_about_secrets(error) or any(isinstance(cause, Misaddressed) for cause in causes):
        return Trouble.PERSON
    if any(_passes(cause) for cause in causes):
        return Trouble.PASSING
    return Trouble.AWAY if any(isinstance(cause, _AWAY) for cause in causes) else Trouble.PERSON


def is_about_secrets(error: BaseException) -> bool:
    """Tell whether the broker does not know us by our password, or we do not know it by its certificate."""
    return any(
        isinstance(cause, redis.AuthenticationError | ssl.SSLCertVerificationError) or UNTRUSTED in str(cause)
        for cause in causes_of(error)
    )


def own_words(error: BaseException) -> str:
    """Return what Redis said, without what its client quotes of the command, which may hold anything."""
    return _QUOTED.sub("", str(error))


def _passes(cause: BaseException) -> bool:
    if isinstance(cause, _PASSING_CLASSES):
        return True
    return isinstance(cause, redis.RedisError) and _PASSING.search(own_words(cause)) is not None


def causes_of(error: BaseException) -> list[BaseException]:
    """Return an error and what it was raised from: kombu wraps those of the client."""
    causes = [error]
    while (cause := causes[-1].__cause__) is not None and cause not in causes:
        causes.append(cause)
    return causes
