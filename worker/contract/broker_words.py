"""What is said of a broker that cannot be used: which, what it does, why, and what helps. No password, and no row."""

import re
from typing import Final

import redis

from worker.contract.broker_errors import UNTRUSTED, Misaddressed, Trouble, causes_of, own_words, trouble
from worker.contract.broker_url import shown
from worker.contract.errors import one_line

#: Most characters of what Redis says.
_LONGEST: Final = 160

#: What it makes of the operating system's words: its address stands in the sentence already.
_WITH_ADDRESS: Final = re.compile(
    r"Error -?\d+ (connecting to|while writing to) .*?\. (?P<written>\w.*)"
    r"|Error while reading from .*? ?: \(\d+, '(?P<tuple>.*)'\)"
    # Behind it, each of the Sentinels as an object.
    r"|(?P<master>No master found for .*?) : .*"
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

#: What helps against refusals that pass once somebody has done something, by Redis' own word for them.
_HELPS: Final = {
    "OOM": "raise its maxmemory, or collect finished runs",
    "MISCONF": "its log says why it cannot save, often a full disk",
    "READONLY": "where no failover ends that, name the master and not its replica",
    "MASTERDOWN": "bring its master back",
    "NOREPLICAS": "bring its replicas back",
    "BUSY": "SCRIPT KILL ends what it is busy with",
    "max number of clients": "raise its maxclients",
}

#: Where a sentence of Redis' own ends: what follows is for who has set it up.
_SENTENCE: Final = re.compile(r"(?<=[\w'])\. (?=[A-Z])")


def described(broker: str, error: BaseException) -> str:
    """Say which broker does what, and why: a clause, without the broker's password and without a full stop."""
    told = _told(error)
    if isinstance(told, Misaddressed):
        return f"Redis at {shown(broker)} {told}"
    return f"Redis at {shown(broker)} {_does(told, trouble(error))} ({reason(told)})"


def what_helps(error: BaseException) -> str | None:
    """Say what ends a refusal that passes; None where only time does."""
    said = reason(error)
    return next((helps for word, helps in _HELPS.items() if re.search(rf"\b{word}\b", said)), None)


def reason(error: BaseException) -> str:
    """Say in a few words of Redis' own why it could not be asked: nothing of what was sent, and no address."""
    told = _told(error)
    if isinstance(told, redis.InvalidResponse):  # whose text is whatever came
        return "what answers does not speak Redis' protocol"
    text = one_line(own_words(told)).rstrip(".") or type(told).__name__
    if found := _WITH_ADDRESS.fullmatch(text):
        return next(said for said in found.groupdict().values() if said)
    text = one_line(_SENTENCE.split(text, maxsplit=1)[0], _LONGEST)
    code = getattr(told, "status_code", None)  # the word that the client has taken off
    return f"{code} {text}" if code and code != "ERR" and not text.startswith(code) else text


def _told(error: BaseException) -> BaseException:
    return next((cause for cause in causes_of(error) if isinstance(cause, redis.RedisError)), error)


def _does(told: BaseException, kind: Trouble) -> str:
    if kind is Trouble.PERSON:
        if UNTRUSTED in str(told):
            return "shows a certificate that is not trusted"
        if "DB index" in str(told):
            return "has no database of the number that the URL names"
        return next((words for classes, words in _FOR_A_PERSON if isinstance(told, classes)), "refuses")
    return "does not answer" if kind is Trouble.AWAY else "refuses for now"
