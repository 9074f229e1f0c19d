"""What can fail under a run, put into one sentence each: its broker, its folder, its ledger."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import redis
from kombu.exceptions import BatchPublishError, OperationalError

from worker.contract.broker_url import shown
from worker.contract.errors import RunError
from worker.settings.fleet import Settings

#: What the broker's clients raise where it does not answer, or refuses.
BROKER_ERRORS: Final = (redis.RedisError, OperationalError, BatchPublishError)


@contextmanager
def broker_errors(settings: Settings) -> Iterator[None]:
    """Turn a broker that does not answer into one sentence.

    Raises:
        RunError: it names the broker, without its password, and what to do.

    """
    try:
        yield
    except (*BROKER_ERRORS, ConnectionError) as error:
        advice = "start it" if is_away(error) else "mend that"
        raise RunError(
            f"{unanswering(settings, error)}; {advice} or name another with --broker. Nothing is lost:"
            " the same command goes on where it stopped."
        ) from None


def unanswering(settings: Settings, error: BaseException) -> str:
    """Say which broker does not answer, or refuses, without its password, and why."""
    told = next((cause for cause in _causes(error) if isinstance(cause, redis.RedisError)), error)
    does = "does not answer" if is_away(error) else "refuses"
    return f"Redis at {shown(settings.broker)} {does} ({_reason(told)})"


def _reason(error: BaseException) -> str:
    text = str(error).rstrip(".") or type(error).__name__
    if found := _WITH_ADDRESS.fullmatch(text):
        return str(found["written"] or found["tuple"])
    return text


#: What redis-py makes of the operating system's words: its address stands in the sentence already.
_WITH_ADDRESS: Final = re.compile(
    r"Error -?\d+ (connecting to|while writing to) .*?\. (?P<written>\w.*)"
    r"|Error while reading from .*? ?: \(\d+, '(?P<tuple>.*)'\)"
)


def is_away(error: BaseException) -> bool:
    """Tell whether a broker that raised this may answer later: it restarts, or nothing leads to it at the moment.

    One that refuses a password, or is full, is not away: waiting would not help.
    """
    causes = _causes(error)
    refused = any(isinstance(cause, redis.AuthenticationError) for cause in causes)
    away = (redis.ConnectionError, redis.TimeoutError, ConnectionError, TimeoutError)
    return not refused and any(isinstance(cause, away) for cause in causes)


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and what it was raised from: kombu wraps those of the client."""
    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    return causes


@contextmanager
def folder_errors(folder: Path) -> Iterator[None]:
    """Turn a folder that cannot be used into one sentence.

    Raises:
        RunError: it names the folder and the reason.

    """
    try:
        with ledger_errors(folder):
            yield
    except FileExistsError:
        raise RunError(f"The run folder {folder} is a file; name another with --run-dir.") from None
    except OSError as error:
        raise RunError(f"The run folder {folder} cannot be used: {error.strerror or error}.") from None


@contextmanager
def ledger_errors(folder: Path) -> Iterator[None]:
    """Turn a ledger that cannot be read or written (a full disk, a folder that vanished) into one sentence.

    Raises:
        RunError: it names the folder and the reason.

    """
    try:
        yield
    except sqlite3.Error as error:
        raise RunError(f"The ledger of the run folder {folder} cannot be used: {error}.") from None
