"""The blocks of a GIF: whether its first image is whole, and whether the file has its end."""

from collections.abc import Iterator
from typing import Final, NamedTuple

_EXTENSION: Final = ord("!")
_IMAGE: Final = ord(",")
_TRAILER: Final = ord(";")

#: Bytes before the file's table of colours, and before an image's, with its separator; and where each says its size.
_HEADER: Final = 13
_FLAGS: Final = 10
_IMAGE_HEADER: Final = 10
_IMAGE_FLAGS: Final = 9


class _Block(NamedTuple):
    kind: int
    #: Whether its data are all there, as far as their lengths tell.
    whole: bool
    end: int


def has_end(data: bytes) -> bool:
    """Tell whether a GIF's trailer follows its last block, whatever follows the trailer."""
    return any(block.kind == _TRAILER for block in _blocks(data))


def first_is_whole(data: bytes) -> bool:
    """Tell whether a GIF's first image has all of its data: they end with a code that is not 0, and so does no filling.

    What follows them is another block or nothing: of a file whose rest was never written it would be zeros.
    """
    image: _Block | None = None
    for block in _blocks(data):
        if image is not None:
            return True
        if block.kind == _IMAGE:
            image = block
    if image is None or not image.whole or image.end < len(data):
        return False
    return any(data[image.end - 3 : image.end].rstrip(b"\0"))


def _blocks(data: bytes) -> Iterator[_Block]:
    """Return a GIF's blocks, as far as they are such."""
    at = _HEADER + _table(data[_FLAGS])
    while at < len(data):
        kind = data[at]
        if kind == _TRAILER:
            yield _Block(kind, whole=True, end=at + 1)
            return
        if kind == _EXTENSION:
            at += 2
        elif kind == _IMAGE and at + _IMAGE_HEADER < len(data):
            at += _IMAGE_HEADER + _table(data[at + _IMAGE_FLAGS]) + 1  # one for the size of its codes
        else:
            return
        while at < len(data) and data[at]:  # parts of up to 255 bytes, the last of them of none
            at += data[at] + 1
        yield _Block(kind, whole=at <= len(data), end=min(at + 1, len(data)))
        at += 1


def _table(flags: int) -> int:
    """Return the bytes of a table of colours."""
    return 3 << (flags & 7) + 1 if flags & 128 else 0
