"""Where a run's rows come from: a file, or a stream that is kept in the run folder."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

from producer.rows.packing import bare_name
from worker.contract.errors import RunError
from worker.pictures.durable import sync_folder

#: Standard input, on the command line.
STDIN: Final = Path("-")

#: Name of a stream's copy in the run folder.
KEPT: Final = "run.input"

#: What the name of a copy begins with, before it is the run's own.
COPY: Final = ".run.input."

#: Seconds after which nobody writes to a copy any more.
_DAY: Final = 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class Source:
    """An input."""

    #: File that the rows are read from, absolute.
    path: Path
    #: Folder in which relative paths of images begin.
    base: Path
    #: The file that it is whatever link leads to it; None for a stream.
    resolved: Path | None


def keep(copy: Path, folder: Path) -> None:
    """Make a stream's copy the run's own."""
    copy.replace(folder / KEPT)
    sync_folder(folder)
    for stale in folder.glob(f"{COPY}*"):  # of commands that were killed
        if stale.stat().st_mtime < time.time() - _DAY:
            stale.unlink(missing_ok=True)


@contextmanager
def taken(named: Path, folder: Path) -> Iterator[Source]:
    """Take an input by its name on the command line: "-", a pipe or another stream is copied into `folder` first.

    A run reads its input more than once: when it is sent, when its output is written, and when it is resumed.
    """
    if not is_stream(named):
        # /dev/stdin, redirected from a file, is that file, whose images do not lie in /dev.
        path = named.resolve() if named.absolute().is_relative_to("/dev") else named.absolute()
        yield Source(path=path, base=path.parent, resolved=named.resolve())
        return
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder.absolute() / f"{COPY}{uuid4().hex}"
    try:
        with copy.open("xb") as file:
            if named == STDIN:
                if sys.stdin is None:
                    raise RunError("Standard input is closed; name a file.")
                shutil.copyfileobj(sys.stdin.buffer, file)
            else:
                with named.open("rb") as stream:
                    shutil.copyfileobj(stream, file)
            file.flush()
            os.fsync(file.fileno())
        yield Source(path=copy, base=Path.cwd(), resolved=None)
    finally:
        copy.unlink(missing_ok=True)


def is_stream(named: Path) -> bool:
    """Tell whether an input can be read only once: standard input, or a pipe such as a shell's `<(zcat in.gz)`."""
    return named == STDIN or not named.is_file()


def run_name(named: Path) -> str:
    """Return the name of a file's run folder where the user names none: its stem."""
    return Path(bare_name(named.name)).stem or named.name
