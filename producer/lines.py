"""The lines of an input jsonl, streamed: plain, or compressed with gzip or Zstandard."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, NamedTuple, cast

from worker.errors import RunError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: What compressed files begin with (RFC 1952, RFC 8878); the content decides, whatever the name says.
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Line(NamedTuple):
    """A non-blank line of the input."""

    #: 0-based among the non-blank lines; names the row's files and never shifts.
    row: int
    #: 1-based in the file, for people.
    number: int
    #: Without surrounding blanks; bytes that are no UTF-8 are written as escapes.
    text: str
    is_utf8: bool = True


def read_lines(path: Path) -> Iterator[Line]:
    """Stream the non-blank lines of a jsonl. A byte order mark, CRLF and bytes that are no UTF-8 are borne.

    Raises:
        RunError: the file cannot be read, or not be decompressed to its end.

    """
    number = 0
    try:
        with _open(path) as file:
            row = 0
            for number, raw in enumerate(file, start=1):
                line = raw.removeprefix(b"\xef\xbb\xbf").strip()
                if line:
                    yield _line(row, number, line)
                    row += 1
    except (EOFError, gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
        raise RunError(
            f"The input {path} is damaged after line {number} and cannot be decompressed ({error}); compress it again."
        ) from None
    except OSError as error:
        raise RunError(f"The input {path} cannot be read: {error.strerror or error}.") from None


def _open(path: Path) -> AbstractContextManager[IO[bytes]]:
    with path.open("rb") as file:
        begin = file.read(4)
    if begin.startswith(_GZIP):
        return cast("AbstractContextManager[IO[bytes]]", gzip.open(path))
    if begin == _ZSTD:
        return cast("AbstractContextManager[IO[bytes]]", zstd.open(path))
    return path.open("rb")


def _line(row: int, number: int, raw: bytes) -> Line:
    try:
        return Line(row, number, raw.decode())
    except UnicodeDecodeError:
        # Escaped, not dropped: a broken line is handed back with everything that was in it.
        return Line(row, number, raw.decode("utf-8", "backslashreplace"), is_utf8=False)
