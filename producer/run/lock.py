"""The lock that gives a run folder one owner at a time."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from worker.contract.errors import RunError

_LOCK: Final = "run.lock"


def owner_of(folder: Path) -> str | None:
    """Return which command says that it owns the run folder; one that was killed still says so.

    Nothing is tried: whoever looks on must not be in the way of a command that begins.
    """
    try:
        return (folder / _LOCK).read_text().strip() or None
    except OSError:
        return None


@contextmanager
def locked(folder: Path, command: str) -> Iterator[None]:
    """Own the run folder; the operating system ends the ownership with the process, however it ends.

    Raises:
        RunError: somebody else owns it; the sentence says who.

    """
    with (folder / _LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise RunError(
                f"The run folder {folder} is in use by {file.read().strip() or 'another process'}."
            ) from None
        file.truncate(0)
        file.write(f"`producer {command}`, process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
