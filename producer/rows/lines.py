"""The lines of an input jsonl, streamed: plain, or compressed with gzip or Zstandard."""

import gzip
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

from worker.contract.errors import RunError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: What compressed files begin with (RFC 1952, RFC 8878); the content decides, whatever the name says.
_GZIP, _ZSTD = b"\x1f\x8b", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")  # its skippable frames, too

#: Longest line in bytes, with room for an image or two in base64; a longer one is no row, and would fill the memory.
LONGEST_LINE: Final = 16 * 2**20

_CHUNK_TEXT: Final = 4 * LONGEST_LINE

#: What is kept of a longer one.
_BEGINNING: Final = 2**10


class Line(NamedTuple):
    """A non-blank line of the input."""

    #: 0-based among the non-blank lines; names the row's files and never shifts.
    row: int
    #: 1-based in the file, for people.
    number: int
    #: Without surrounding blanks; bytes that are no UTF-8 are written as escapes.
    text: str
    #: Why it cannot be a row, whatever it says.
    problem: str | None = None


def read_lines(path: Path) -> Iterator[Line]:
    """Stream the non-blank lines of a jsonl. A byte order mark, CRLF and bytes that are no UTF-8 are borne.

    Raises:
        RunError: the file cannot be read, or not be decompressed to its end.

    """
    number = 0
    try:
        with _open(path) as file:
            row = 0
            for number, (raw, size) in enumerate(_raw_lines(file), start=1):
                line = raw.removeprefix(b"\xef\xbb\xbf").strip()
                if line or size > LONGEST_LINE:
                    yield _line(row, number, line, size)
                    row += 1
    except (EOFError, gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
        raise RunError(
            f"The input {path} is damaged after line {number} and cannot be decompressed ({error}); compress it again."
        ) from None
    except OSError as error:
        raise RunError(f"The input {path} cannot be read: {error.strerror or error}.") from None


def in_chunks(lines: Iterable[Line], most: int) -> Iterator[list[Line]]:
    """Yield lines in lists of at most `most`, and of about 64 MiB of text, since a line may have 16."""
    chunk: list[Line] = []
    room = _CHUNK_TEXT
    for line in lines:
        chunk.append(line)
        room -= len(line.text)
        if len(chunk) == most or room <= 0:
            yield chunk
            chunk, room = [], _CHUNK_TEXT
    if chunk:
        yield chunk


def _open(path: Path) -> AbstractContextManager[IO[bytes]]:
    with path.open("rb") as file:
        begin = file.read(4)
    if begin.startswith(_GZIP):
        return cast("AbstractContextManager[IO[bytes]]", gzip.open(path))
    if _ZSTD.match(begin):
        return cast("AbstractContextManager[IO[bytes]]", zstd.open(path))
    return path.open("rb")


def _raw_lines(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Iterate over the lines and their sizes in bytes; of one that is too long, only the beginning is kept."""
    while raw := file.readline(LONGEST_LINE + 1):
        size, part = len(raw), raw
        if size > LONGEST_LINE:
            raw = raw[:_BEGINNING]
            while part and not part.endswith(b"\n"):
                part = file.readline(LONGEST_LINE)
                size += len(part)
        yield raw, size


def _line(row: int, number: int, raw: bytes, size: int) -> Line:
    # Escaped, not dropped: a broken line is handed back with everything that was in it.
    text = raw.decode("utf-8", "backslashreplace")
    if size > LONGEST_LINE:
        return Line(row, number, text, f"has {size} bytes, more than {LONGEST_LINE}; only its beginning is kept here.")
    try:
        return Line(row, number, raw.decode())
    except UnicodeDecodeError:
        return Line(row, number, text, "is no UTF-8 text.")
