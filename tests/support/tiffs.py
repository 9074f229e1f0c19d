"""TIFFs written byte by byte, of every layout: what the writers at hand do not write."""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[Any]
Tags = Mapping[int, int | Iterable[int] | bytes]

#: Types of tags that hold offsets and sizes, and of all other numbers.
_LONG, _SHORT, _TEXT = 4, 3, 2
_LONGS = {256, 257, 273, 279, 324, 325, 330}


def lzw(data: bytes) -> bytes:
    """Pack bytes as LZW whose table is forgotten before its codes grow beyond nine bits."""
    codes = [256]
    for at in range(0, len(data), 200):
        codes += [*data[at : at + 200], 256]
    bits = "".join(f"{code:09b}" for code in [*codes, 257])
    return bytes(int(bits[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(bits), 8))


def packbits(data: bytes) -> bytes:
    """Pack bytes as PackBits without any run."""
    parts = (data[at : at + 128] for at in range(0, len(data), 128))
    return b"".join(bytes([len(part) - 1]) + part for part in parts)


#: How pieces are packed, by the number that the file has for it.
PACKING: dict[int, Callable[[bytes], bytes]] = {1: bytes, 5: lzw, 8: zlib.compress, 32773: packbits}


def packed_bits(samples: Samples, bits: int) -> bytes:
    """Pack rows of samples of fewer than eight bits, or of twelve; each row begins with a byte of its own."""
    shifts = np.arange(bits - 1, -1, -1)
    single = (samples.astype(np.int64)[..., None] >> shifts) & 1
    return np.packbits(single.reshape(len(samples), -1).astype(np.uint8), axis=1).tobytes()


def pieces(planes: Iterable[Samples], bits: int, order: str = "<", *, side: int = 0, rows: int = 7) -> Iterator[bytes]:
    """Cut planes (height × width × samples) into square tiles of this side, or else into strips of so many rows."""
    for plane in planes:
        height, width = plane.shape[:2]
        if side:
            whole = np.pad(plane, ((0, -height % side), (0, -width % side), (0, 0)), mode="edge")
            places = [(y, x) for y in range(0, height, side) for x in range(0, width, side)]
            cut = [whole[y : y + side, x : x + side] for y, x in places]
        else:
            cut = [plane[y : y + rows] for y in range(0, height, rows)]
        for part in cut:
            whole_bytes = bits in {8, 16, 32}
            yield part.astype(f"{order}u{bits // 8}").tobytes() if whole_bytes else packed_bits(part, bits)


def tiff(parts: Iterable[bytes], size: tuple[int, int], tags: Tags, *, order: str = "<", side: int = 0) -> bytes:
    """Write a TIFF of a size (width, height) of these pieces, packed as tag 259 says; a strip has seven rows."""
    packing = int(tags.get(259, 1))  # type: ignore[call-overload]
    packed = [PACKING.get(packing, bytes)(part) for part in parts]
    if tags.get(266) == 2:  # the lowest bit first
        packed = [bytes(int(f"{byte:08b}"[::-1], 2) for byte in part) for part in packed]
    offsets = [8 + sum(len(part) for part in packed[:number]) for number in range(len(packed))]
    counts = [len(part) for part in packed]
    where: Tags = {322: side, 323: side, 324: offsets, 325: counts} if side else {273: offsets, 278: 7, 279: counts}
    every = {256: size[0], 257: size[1], 259: packing, **where, **tags}
    return file_of([every], b"".join(packed), order)


def file_of(directories: Iterable[Tags], content: bytes, order: str = "<", *, parts: int = 0) -> bytes:
    """Write a TIFF of these directories behind content that begins at byte 8.

    The last `parts` are parts of the first (tag 330), all others follow one another.
    """
    out = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4) + content)
    pages = list(directories)
    pages, inner = pages[: len(pages) - parts], pages[len(pages) - parts :]
    if inner:
        pages[0] = {**pages[0], 330: [_directory(out, tags, order) for tags in inner]}
    link = 4
    for tags in pages:
        struct.pack_into(order + "I", out, link, _directory(out, tags, order))
        link = len(out) - 4
    return bytes(out)


def _directory(out: bytearray, tags: Tags, order: str) -> int:
    """Append a directory after which none comes; return where it begins."""
    entries = b"".join(_entry(out, tag, value, order) for tag, value in sorted(tags.items()))
    out += bytes(len(out) % 2)
    begin = len(out)
    out += struct.pack(order + "H", len(tags)) + entries + bytes(4)
    return begin


def _entry(out: bytearray, tag: int, value: int | Iterable[int] | bytes, order: str) -> bytes:
    kind = _TEXT if isinstance(value, bytes) else _LONG if tag in _LONGS else _SHORT
    values = [value] if isinstance(value, int) else list(value)
    data = struct.pack(f"{order}{len(values)}{ {_TEXT: 'B', _SHORT: 'H', _LONG: 'I'}[kind] }", *values)
    if len(data) > 4:
        data, at = struct.pack(order + "I", len(out)), data
        out += at
    return struct.pack(order + "HHI", tag, kind, len(values)) + data.ljust(4, b"\0")
