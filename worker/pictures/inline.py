"""A picture that came in its row's message, read like a file."""

import os
import stat
from io import BytesIO
from typing import IO

from worker.contract.inline_images import bytes_of


class InlineFile:
    """The part of `pathlib.Path` that reading needs, of a picture in memory."""

    def __init__(self, uri: str) -> None:
        """Take the picture of a `data:` URI.

        Raises:
            RowError: it is none.

        """
        self._data = bytes_of(uri)
        self._kind = uri.partition(";")[0]

    def __str__(self) -> str:
        return f"{self._kind} ({len(self._data)} bytes, in the row itself)"

    def stat(self) -> os.stat_result:
        """Say that it is a regular file, and how long."""
        return os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, len(self._data), 0, 0, 0))

    def open(self, mode: str) -> IO[bytes]:
        """Open it to be read."""
        del mode
        return BytesIO(self._data)
