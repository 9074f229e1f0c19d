"""Where an image file is, and whether it is one that can be read at all; nothing of it is read for that."""

import stat
from pathlib import Path

from worker.contract.errors import RowError
from worker.pictures import spelling
from worker.pictures.inline import InlineFile

#: The most that a pixel takes up in a file, as 16-bit RGBA; and generous room for profiles, notes and previews.
_PIXEL_BYTES, _OTHER_BYTES = 8, 64 * 2**20


def found_under(path: Path | InlineFile, root: Path | None) -> Path | InlineFile:
    """Return where a file is: by its own name, or by the only one that looks the same; never out of a root.

    Raises:
        RowError: it is not there, as far as `spelling.look_again` sees.

    """
    try:
        path.stat()
    except FileNotFoundError:
        return spelling.look_again(path, root) if isinstance(path, Path) else path
    return path


def length_of(path: Path | InlineFile, max_pixels: int) -> int:
    """Return a file's length in bytes, known before it is opened: a FIFO would wait, and a device may never end.

    Raises:
        RowError: it is no regular file, or one of no bytes or of too many.

    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        kind = "folder" if stat.S_ISDIR(found.st_mode) else "device, a FIFO or a socket"
        raise RowError(f"is a {kind}, not a file")
    if found.st_size > (most := max_pixels * _PIXEL_BYTES + _OTHER_BYTES):
        raise RowError(f"is too large ({found.st_size} bytes; at most {most} are read)")
    if not found.st_size:
        raise RowError("is empty (0 bytes)")
    return found.st_size
