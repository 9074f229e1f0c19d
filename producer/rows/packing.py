"""Files that are packed: gzip, Zstandard, bzip2 and xz, told by their content, whatever the name says."""

import bz2
import gzip
import lzma
import re
import sys
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Final, cast

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: What packed files begin with, and what opens them: RFC 1952; RFC 8878, also its skippable frames; bzip2 with its
#: first block, or none; the xz file format, 1.2; and its older brother, as `xz --format=lzma` writes it.
PACKERS: Final[dict[str, tuple[re.Pattern[bytes], Callable[[Path], Any]]]] = {
    "gzip": (re.compile(rb"\x1f\x8b"), gzip.open),
    "Zstandard": (re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), zstd.open),
    "bzip2": (re.compile(rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)"), bz2.open),
    "xz": (re.compile(rb"\xfd7zXZ\x00"), lzma.open),
    "lzma": (re.compile(rb"\x5d\x00\x00.{2}[\x00-\x7f\xff]", re.DOTALL), lzma.open),
}

_SUFFIXES: Final = (".gz", ".zst", ".bz2", ".xz", ".lzma")

#: Bytes that tell it.
_TELLING: Final = 10

#: What the libraries raise where a packed file is cut or garbled; bz2 raises an OSError without a number.
DAMAGES: Final = (EOFError, gzip.BadGzipFile, zlib.error, zstd.ZstdError, lzma.LZMAError)


def packer(begin: bytes) -> str | None:
    """Return what a file that begins so is packed with."""
    return next((name for name, (magic, _) in PACKERS.items() if magic.match(begin)), None)


def unpacked(path: Path) -> AbstractContextManager[IO[bytes]]:
    """Open a file, packed or not, for its content; it can be read again from its beginning.

    Raises:
        OSError: it cannot be opened.

    """
    with path.open("rb") as file:
        found = packer(file.read(_TELLING))
    if found is None:
        return path.open("rb")
    return cast("AbstractContextManager[IO[bytes]]", PACKERS[found][1](path))


def bare_name(name: str) -> str:
    """Return a file's name without what says how it is packed."""
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name
