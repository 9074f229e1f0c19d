"""Damaged files whose pixels are all there: their bytes as they should be, or None where that cannot be said.

It begins where a decoder has refused a file, or has taken one without an end; a good one never comes here.
"""

import re
import struct
from typing import Final

from worker.pictures import gif_blocks, jpeg_mending, naming, png_mending

#: Most bytes before a picture's start marker, and after its end where there are some before it: more of them are
#: another kind of file, with a preview in it.
_GARBAGE: Final = 4096

#: Where a JPEG or a PNG begins.
_START: Final = re.compile(rb"\xff\xd8\xff|" + re.escape(png_mending.SIGNATURE))

#: How far from a file's end a JPEG's may be, with a telephone's film or a second picture after it, to be searched for.
_TAIL: Final = 2**16

_RIFF: Final = struct.Struct("<4sI4s")
_CHUNK: Final = struct.Struct("<4sI")

#: What a BMP's header says, up to its compression; the first of them with these fields, and the codes for none.
_BMP: Final = struct.Struct("<10xIIiiHHI")
_BMP_HEADER: Final = 40
_PLAIN: Final = frozenset({0, 3})


def mended(data: bytes) -> bytes | None:
    """Return a damaged file as it should be; None where it is of a kind that cannot be mended.

    That its pixels are all there has then to be found out by decoding it, and by `is_whole`.
    """
    start = _START.search(data, 0, _GARBAGE + len(png_mending.SIGNATURE))
    if start is None or start.start() > _GARBAGE:
        return _mended_webp(data) if data.startswith(b"RIFF") else None
    mend, end_of = (
        (png_mending.mended, png_mending.end_of)
        if start[0] == png_mending.SIGNATURE
        else (jpeg_mending.mended, jpeg_mending.end_of)
    )
    if start.start() == 0:
        return mend(data)
    if naming.kind_of(data[: naming.HEAD]) is not None:
        return None
    data = data[start.start() :]
    end = end_of(data)
    return None if end is not None and len(data) - end > _GARBAGE else mend(data)


def is_whole(data: bytes) -> bool:
    """Tell whether a mended file has all of its pixels, as far as its decoder would not say; its size is bearable."""
    if data.startswith(png_mending.SIGNATURE):
        return png_mending.is_whole(data)
    return jpeg_mending.is_whole(data) if data.startswith(b"\xff\xd8") else True


def lacks_pixels_perhaps(data: bytes) -> bool:
    """Tell whether a file that was decoded has no end, so that its last pixels may have been made up."""
    if data.startswith(b"\xff\xd8"):
        return data.rfind(jpeg_mending.END, -_TAIL) < 0 and jpeg_mending.end_of(data) is None
    if data.startswith(png_mending.SIGNATURE):
        return not data.endswith(png_mending.END) and png_mending.end_of(data) is None
    return data.startswith(b"GIF8") and not data.endswith(b";") and not gif_blocks.first_is_whole(data)


def lacks_its_end(data: bytes) -> bool:
    """Tell whether a file with all of its pixels ends too early, as one does whose copying broke off."""
    if data.startswith(b"GIF8"):
        return not data.endswith(b";") and not gif_blocks.has_end(data)
    return data.startswith(b"BM") and len(data) < _bmp_length(data)


def _mended_webp(data: bytes) -> bytes | None:
    """Return a WebP whose chunks are all there with the length and the last byte of padding that it should have."""
    if len(data) < _RIFF.size or data[8:12] != b"WEBP":
        return None
    at = _RIFF.size
    while at + _CHUNK.size <= len(data):
        name, length = _CHUNK.unpack_from(data, at)
        if not re.fullmatch(rb"[A-Z0-9 ]{4}", name):
            break
        if at + _CHUNK.size + length > len(data):
            return None
        at += _CHUNK.size + length + length % 2
    body = data[_RIFF.size : at].ljust(at - _RIFF.size, b"\0")
    return _RIFF.pack(b"RIFF", len(body) + 4, b"WEBP") + body


def _bmp_length(data: bytes) -> int:
    """Return how long a BMP without compression should be: its rows are padded to four bytes."""
    begin, header, width, height, _, bits, packed = _BMP.unpack_from(data.ljust(_BMP.size, b"\0"))
    if header < _BMP_HEADER or packed not in _PLAIN:
        return 0
    return int(begin + (width * bits + 31) // 32 * 4 * abs(height))
