"""Where an image file is, and whether it is one that can be read at all; nothing of it is read for that."""

import os
import stat
from pathlib import Path
from typing import IO, Literal, Protocol

from worker.contract.errors import RowError
from worker.pictures import spelling

#: The most that a pixel takes up in a file, as 16-bit RGBA; and generous room for profiles, notes and previews.
_PIXEL_BYTES, _OTHER_BYTES = 8, 64 * 2**20


class Readable(Protocol):
    """What reading an image needs of a path, and what pictures have that lie elsewhere (`worker.pictures.sources`)."""

    def stat(self) -> os.stat_result:
        """Say of which kind it is, and how long."""

    def open(self, mode: Literal["rb"]) -> IO[bytes]:
        """Open it to be read."""


def found_under(path: Readable, root: Path | str | None) -> Readable:
    """Return where a file is: by its own name, or by the only one that looks the same; never out of a root.

    Raises:
        RowError: it is not there, as far as `spelling.look_again` sees.
        FileNotFoundError: the same, of one that has no other spelling.

    """
    try:
        path.stat()
    except FileNotFoundError:
        if isinstance(path, Path) and not isinstance(root, str):
            return spelling.look_again(path, root)
        raise
    return path


def longest(max_pixels: int) -> int:
    """Return how many bytes a file may have."""
    return max_pixels * _PIXEL_BYTES + _OTHER_BYTES


def length_of(path: Readable, max_pixels: int) -> int:
    """Return a file's length in bytes, known before it is opened: a FIFO would wait, and a device may never end.

    Raises:
        RowError: it is no regular file, or one of no bytes or of too many.

    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        kind = "folder" if stat.S_ISDIR(found.st_mode) else "device, a FIFO or a socket"
        raise RowError(f"is a {kind}, not a file")
    if found.st_size > (most := longest(max_pixels)):
        raise RowError(f"is too large ({found.st_size} bytes; at most {most} are read)")
    if not found.st_size:
        raise RowError("is empty (0 bytes)")
    return found.st_size
