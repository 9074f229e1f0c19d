"""What can fail under a run, put into one sentence each: its broker, its folder, its ledger."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from worker.contract.broker_errors import BROKER_ERRORS, Trouble, trouble
from worker.contract.broker_words import described, what_helps
from worker.contract.errors import RunError
from worker.settings.fleet import Settings

#: What to do about a broker that cannot be used, by what stands in the way.
_ADVICE: Final = {Trouble.AWAY: "start it", Trouble.PASSING: "mend that", Trouble.PERSON: "mend that"}


def advice(error: BaseException) -> str:
    """Say what to do about a broker that raised this."""
    return f"{what_helps(error) or _ADVICE[trouble(error)]}, or name another with --broker"


@contextmanager
def broker_errors(settings: Settings, *, looking: bool = False) -> Iterator[None]:
    """Turn a broker that cannot be used into one sentence; `looking`: of a command that leaves runs as they are.

    Raises:
        RunError: it names the broker, without its password, and what to do.

    """
    try:
        yield
    except BROKER_ERRORS as error:
        comfort = "" if looking else " Nothing is lost: the same command goes on where it stopped."
        raise RunError(f"{described(settings.broker, error)}; {advice(error)}.{comfort}") from None


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
