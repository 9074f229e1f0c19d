"""PNG files with a chunk that is damaged, though none that holds pixels; and those without an end."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
END: Final = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))

#: What makes it an animation: if one of them is damaged, the picture is what those show who know no animations.
_ANIMATION: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})

#: What pixels are made of; all others can be done without.
_PIXELS: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"tRNS"})

_FRAME: Final = struct.Struct(">I4s")
_CRC: Final = 4

#: Bytes that are inflated at a time, and that they may become.
_PIECE: Final = 2**16
_INFLATED: Final = 2**20


class _Chunk(NamedTuple):
    name: bytes
    content: memoryview
    #: Whether its checksum is there, and right.
    good: bool
    end: int


def end_of(data: bytes) -> int | None:
    """Return where a PNG ends, its end chunk included; None where it has none that is whole."""
    for chunk in _chunks(data):
        if chunk.name == b"IEND":
            return chunk.end if chunk.good else None
    return None


def mended(data: bytes) -> bytes | None:
    """Return a PNG without its damaged chunks and with an end; None where one is damaged that the pixels need."""
    chunks = [chunk for chunk in _chunks(data) if chunk.name != b"IEND"]
    dropped = {chunk.name for chunk in chunks if not chunk.good}
    if not chunks or (dropped & _PIXELS) or any(not name[0] & 32 for name in dropped):  # a capital: not optional
        return None
    if dropped & _ANIMATION:
        dropped |= _ANIMATION
    kept = (chunk for chunk in chunks if chunk.good and chunk.name not in dropped & _ANIMATION)
    return b"".join([SIGNATURE, *map(_written, kept), END])


def is_whole(data: bytes) -> bool:
    """Tell whether a PNG's pixels end as its compression says, with the right checksum over them."""
    stream, room = zlib.decompressobj(), _most_bytes(data)
    try:
        for piece in _pixels(data):
            room -= len(stream.decompress(piece, _INFLATED))
            while stream.unconsumed_tail and room >= 0:
                room -= len(stream.decompress(stream.unconsumed_tail, _INFLATED))
            if stream.eof or room < 0:
                break
    except zlib.error:
        return False
    return stream.eof


def _pixels(data: bytes) -> Iterator[memoryview]:
    """Return the compressed pixels, in pieces."""
    for chunk in _chunks(data):
        if chunk.name == b"IDAT":
            yield from (chunk.content[at : at + _PIECE] for at in range(0, len(chunk.content), _PIECE))


def _most_bytes(data: bytes) -> int:
    """Return how many bytes the pixels can be: at most 8 each, and one or two more per row."""
    width, height = struct.unpack_from(">II", data, len(SIGNATURE) + _FRAME.size)
    return int((8 * width + 16) * height)


def _written(chunk: _Chunk) -> bytes:
    checksum = zlib.crc32(chunk.content, zlib.crc32(chunk.name))
    return b"".join([_FRAME.pack(len(chunk.content), chunk.name), chunk.content, struct.pack(">I", checksum)])


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Return a PNG's chunks up to its end, or as far as they are such."""
    view, at = memoryview(data), len(SIGNATURE)
    while at + _FRAME.size <= len(data):
        length, name = _FRAME.unpack_from(data, at)
        begin, end = at + _FRAME.size, at + _FRAME.size + length + _CRC
        if not name.isalpha() or not name.isascii():
            return
        content = view[begin : begin + length]
        checksum = zlib.crc32(content, zlib.crc32(name))
        good = end <= len(data) and int.from_bytes(view[end - _CRC : end], "big") == checksum
        # Cut off within its checksum, which that of the compression makes up for.
        good = good or (name == b"IDAT" and len(content) == length and end > len(data))
        yield _Chunk(name, content, good, end)
        if name == b"IEND":
            return
        at = end
