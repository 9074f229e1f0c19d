"""Text that is not in UTF-8, as Windows writes it: told by its mark or by the zero bytes in it, and read as UTF-8."""

import codecs
import io
from typing import IO, Final

from producer.rows.element import Unreadable

UTF8_MARK: Final = codecs.BOM_UTF8

#: The longer first: that of UTF-32 begins with that of UTF-16.
_MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}

#: Where zero bytes are among the first four: JSON and tables begin with two characters of ASCII (RFC 4627, 3).
_ZEROS: Final[dict[tuple[bool, ...], str]] = {
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}

_PIECE: Final = 2**16


def encoding_of(begin: bytes) -> str | None:
    """Return the encoding of a file that begins so, by Python's name; None for UTF-8, and for what is no text."""
    for mark, name in _MARKS.items():
        if begin.startswith(mark):
            return name
    return _ZEROS.get(tuple(byte == 0 for byte in begin[:4]))


def as_utf8(file: IO[bytes], encoding: str) -> IO[bytes]:
    """Return a file that reads as UTF-8 what another holds in an encoding of UTF-16 or UTF-32."""
    return io.BufferedReader(_Recoded(file, encoding), _PIECE)


class _Recoded(io.RawIOBase):
    """A file in another encoding. Half a surrogate pair stays one, which is no UTF-8, and its row's fault alone."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed has any buffer here
        ended = False
        while not self._ready and not ended:
            piece = self._file.read(_PIECE)
            ended = not piece
            self._ready = memoryview(self._decoded(piece, final=ended).encode("utf-8", "surrogatepass"))
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _decoded(self, piece: bytes, *, final: bool) -> str:
        try:
            return self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            name = self._encoding.upper()
            raise Unreadable(f"begins as {name}, and goes on as something else ({error.reason}).") from None
