"""The lock that gives a run folder one owner at a time."""

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from worker.contract.errors import RunInUse

_LOCK: Final = "run.lock"

#: Seconds between two looks whether its owner has gone.
_POLL: Final = 0.1


def owner_of(folder: Path) -> str | None:
    """Return which command says that it owns the run folder; one that was killed still says so.

    Nothing is tried: whoever looks on must not be in the way of a command that begins.
    """
    try:
        return (folder / _LOCK).read_text().strip() or None
    except OSError:
        return None


@contextmanager
def locked(folder: Path, owner: str, *, wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Own the run folder; the operating system ends the ownership with the process, however it ends.

    `owner`: who owns it then, such as "producer run". `wait` is told again and again who else owns it, until nobody
    does, and may raise; where it is None nobody is waited for.

    Raises:
        RunInUse: somebody else owns it; the sentence says who.

    """
    with (folder / _LOCK).open("a+") as file:
        while not _is_ours(file):
            other = _owner_in(file)
            if wait is None:
                raise RunInUse(f"The run folder {folder} is in use by {other}.")
            wait(other)
            time.sleep(_POLL)
        file.truncate(0)
        file.write(f"`{owner}`, process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _is_ours(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner_in(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip() or "another process"
