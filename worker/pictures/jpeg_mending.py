"""JPEG files without an end: where their data ends, and whether all of it is there."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_START: Final = b"\xff\xd8"
END: Final = b"\xff\xd9"

#: What ends a scan: a marker, other than those that restart its decoder; a 0 after 255 makes that a part of the data.
_MARKER: Final = re.compile(rb"\xff+([^\x00\x01\xd0-\xd7\xff])")

_SCAN: Final = 0xDA
_EOI: Final = 0xD9

#: Frames whose decoder says when data are missing: baseline, extended and progressive, with Huffman's code.
_SEQUENTIAL: Final = (0xC0, 0xC1)
_PROGRESSIVE: Final = 0xC2
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

#: Coefficients of a block.
_COEFFICIENTS: Final = 64


class _Segment(NamedTuple):
    """A marker and what belongs to it."""

    marker: int
    #: What it says; of a scan not its data.
    body: bytes
    #: Where it ends, a scan's data included.
    end: int


def end_of(data: bytes) -> int | None:
    """Return where a JPEG ends, its end marker included; None where it has none."""
    for segment in _segments(data):
        if segment.marker == _EOI:
            return segment.end
    return None


def mended(data: bytes) -> bytes | None:
    """Return a JPEG with an end marker after the last of its data; None where there is nothing to be ended."""
    if (end := end_of(data)) is not None:
        return data[:end]
    scans = [segment.end for segment in _segments(data) if segment.marker == _SCAN]
    if not scans:
        return None
    # A file of which the rest was never written ends with zeros, and one that breaks off within a marker with its 255.
    body = data[: scans[-1]].rstrip(b"\0")
    body = body + b"\0" if body.endswith(b"\xff") and len(body) < scans[-1] else body.rstrip(b"\xff")
    return body + END


def is_whole(data: bytes) -> bool:
    """Tell whether a JPEG with an end has the data of all its pixels; its size has been found bearable before.

    libjpeg makes up what is missing, and warns. Pillow hears no warnings, and simplejpeg raises them: so the data are
    decoded by that, to an eighth of the size. Whole scans that a progressive picture lacks are no cause for a warning.
    """
    import simplejpeg  # noqa: PLC0415 - it brings numpy, a tenth of a command's start, for damaged pictures alone

    try:
        if not _has_all_scans(data):
            return False
        _, _, space, _ = simplejpeg.decode_jpeg_header(data)
        simplejpeg.decode_jpeg(
            data, "CMYK" if space in {"CMYK", "YCCK"} else "GRAY", min_height=1, min_width=1, min_factor=8, strict=True
        )
    except ValueError:  # also of a header that says too little
        return False
    return True


def _has_all_scans(data: bytes) -> bool:
    """Tell whether every coefficient of every component was sent to its last bit."""
    missing: dict[int, set[int]] = {}
    progressive = False
    for segment in _segments(data):
        if segment.marker in _FRAMES:
            if segment.marker not in (*_SEQUENTIAL, _PROGRESSIVE):
                return False
            progressive = segment.marker == _PROGRESSIVE
            missing = {component: set(range(_COEFFICIENTS)) for component in segment.body[6::3]}
        elif segment.marker == _SCAN:
            count = segment.body[0]
            first, last, bits = segment.body[1 + 2 * count : 4 + 2 * count]
            sent = set(range(first, last + 1)) if progressive else set(range(_COEFFICIENTS))
            for component in segment.body[1 : 1 + 2 * count : 2]:
                if bits & 15 == 0 or not progressive:  # the lowest bit that this scan sends
                    missing.get(component, set()).difference_update(sent)
    return bool(missing) and not any(missing.values())


def _segments(data: bytes) -> Iterator[_Segment]:
    """Return a JPEG's segments, as far as they are whole."""
    at = len(_START)
    while (found := _MARKER.match(data, at)) is not None:
        marker, at = found[1][0], found.end()
        if marker == _EOI:
            yield _Segment(marker, b"", at)
            return
        length = int.from_bytes(data[at : at + 2], "big")
        body = data[at + 2 : at + length]
        if len(body) != length - 2 or not body:
            return
        at += length
        if marker == _SCAN:
            after = _MARKER.search(data, at)
            at = len(data) if after is None else after.start()
        yield _Segment(marker, body, at)
