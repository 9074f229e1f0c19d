"""A picture in a store or on a web server, read like a file: a small one at once, of a large one what is asked for."""

import io
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import IO, Any, Final

from worker.contract.errors import RowError
from worker.contract.urls import shown
from worker.storage import objects, web
from worker.storage.meaning import Absent

#: Bytes up to which an object is read at once, since a question costs as much as they do.
_AT_ONCE: Final = 4 * 2**20

#: Bytes that are read ahead of what a decoder asks for: headers have their parts in many places.
_AHEAD: Final = 2**18


class StoredFile:
    """The part of `pathlib.Path` that reading needs, of an object in a store; for one thread, and one row."""

    def __init__(self, url: str) -> None:
        """Take an object by its URL in its one form; nothing is asked yet."""
        self._url = url

    def __str__(self) -> str:
        return shown(self._url)

    def stat(self) -> os.stat_result:
        """Say that it is a regular file, and how long.

        Raises:
            RowError: as `worker.storage.objects.head`.

        """
        return _regular(self._head.size)

    def open(self, mode: str) -> IO[bytes]:
        """Open it to be read; what has taken its place since it was first asked for is not read."""
        del mode
        if self._head.size <= _AT_ONCE:
            return BytesIO(self._whole)
        return io.BufferedReader(_Ranges(self._head.size, self._read), _AHEAD)

    @cached_property
    def _head(self) -> objects.Head:
        if (head := objects.head(self._url)) is None:
            raise Absent("no such object")
        return head

    @cached_property
    def _whole(self) -> bytes:
        return self._read(0, self._head.size)

    def _read(self, start: int, end: int) -> bytes:
        return objects.read(self._url, start=start, end=end, etag=self._head.etag)


@dataclass
class Allowance:
    """Bytes that may be fetched for one row; all of them are held before anything is known of their pixels."""

    most: int
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.most


class WebFile:
    """The same, of a file on a web server, which is fetched whole."""

    def __init__(self, url: str, *, hosts: tuple[str, ...], allowance: Allowance) -> None:
        """Take a file by its URL; nothing is fetched yet. Of its row's `allowance` it leaves the rest to the next."""
        self._url = url
        self._hosts = hosts
        self._allowance = allowance

    def __str__(self) -> str:
        return shown(self._url)

    def stat(self) -> os.stat_result:
        """Say that it is a regular file, and how long.

        Raises:
            RowError: as `worker.storage.web.fetch`.

        """
        return _regular(len(self._whole))

    def open(self, mode: str) -> IO[bytes]:
        """Open it to be read."""
        del mode
        return BytesIO(self._whole)

    @cached_property
    def _whole(self) -> bytes:
        allowance = self._allowance
        try:
            data = web.fetch(self._url, hosts=self._hosts, most=allowance.left)
        except web.TooLarge:
            if allowance.left == allowance.most:
                raise
            raise RowError(
                f"is too large beside the row's other images (at most {allowance.most} bytes are read together)"
            ) from None
        allowance.left -= len(data)
        return data


class _Ranges(io.RawIOBase):
    """A file of which each part is asked for by itself."""

    def __init__(self, size: int, read: Callable[[int, int], bytes]) -> None:
        super().__init__()
        self._size = size
        self._read = read
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if begin + offset < 0:
            raise ValueError("before the beginning of the file")
        self._at = begin + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = self._read(self._at, min(self._size, self._at + len(buffer))) if self._at < self._size else b""
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _regular(size: int) -> os.stat_result:
    return os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, size, 0, 0, 0))
