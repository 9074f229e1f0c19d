"""What can fail under a run, put into one sentence each: its broker, its folder, its ledger."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from kombu.exceptions import OperationalError
from kombu.utils.url import maybe_sanitize_url

from worker.errors import RunError
from worker.settings import Settings


@contextmanager
def broker_errors(settings: Settings) -> Iterator[None]:
    """Turn a broker that does not answer into one sentence.

    Raises:
        RunError: it names the broker, without its password, and what to do.

    """
    try:
        yield
    except (redis.RedisError, OperationalError, ConnectionError) as error:
        where = maybe_sanitize_url(settings.broker)
        reason = str(error).rstrip(".") or type(error).__name__
        raise RunError(
            f"Redis at {where} does not answer ({reason}); start it or name another with --broker. Nothing is lost:"
            " the same command goes on where it stopped."
        ) from None


@contextmanager
def folder_errors(folder: Path) -> Iterator[None]:
    """Turn a folder that cannot be used into one sentence.

    Raises:
        RunError: it names the folder and the reason.

    """
    try:
        with ledger_errors(folder):
            yield
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
