"""A TIFF's directories, one for each picture in it: read by themselves, since Pillow opens no picture but the first."""

import struct
from collections.abc import Callable, Iterator
from typing import IO, Final, NamedTuple

from PIL.ExifTags import Base
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    COMPRESSION,
    EXTRASAMPLES,
    ICCPROFILE,
    IMAGELENGTH,
    IMAGEWIDTH,
    OSUBFILETYPE,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    SAMPLEFORMAT,
    SAMPLESPERPIXEL,
    SUBIFD,
)

NEW_SUBFILE_TYPE: Final = 254
DNG_VERSION: Final = 50706

#: Bits of the new subfile type: a smaller version of another picture, and a page of several.
_REDUCED, _PAGE = 1, 2

#: What a smaller version is in the old subfile type.
_OLD_REDUCED = 2

#: The tags that are read; all others are passed over.
_TAGS = frozenset({
    NEW_SUBFILE_TYPE, OSUBFILETYPE, IMAGEWIDTH, IMAGELENGTH, BITSPERSAMPLE, COMPRESSION, PHOTOMETRIC_INTERPRETATION,
    Base.Make, Base.Orientation, SAMPLESPERPIXEL, PLANAR_CONFIGURATION, SUBIFD, EXTRASAMPLES, SAMPLEFORMAT, ICCPROFILE,
    DNG_VERSION,
})  # fmt: skip

#: How values lie in a file, by their type. BigTIFF has two more, and the last of them is unknown to Pillow.
_FORMS = {1: "B", 2: "B", 3: "H", 4: "I", 7: "B", 13: "I", 16: "Q", 18: "Q"}

#: Most entries of a directory and most bytes of a value; what has more is broken, or nothing that is asked for here.
_MOST_ENTRIES, _MOST_BYTES = 4096, 4 * 2**20

#: What is raised where a directory is broken.
BROKEN = (ValueError, OverflowError, struct.error)


class Directory(NamedTuple):
    """What a file says of one of its pictures."""

    #: Where it lies in the file.
    offset: int
    #: Values by tag, as far as they are whole.
    values: dict[int, tuple[int, ...]]
    #: Where the next picture's directory lies; 0 after the last.
    next: int

    def value(self, tag: int, otherwise: int = 0) -> int:
        """Return a tag's first value."""
        return (self.values.get(tag) or (otherwise,))[0]

    def text(self, tag: int) -> str:
        """Return a tag's text."""
        return bytes(self.values.get(tag, ())).split(b"\0")[0].decode("latin-1").strip()

    @property
    def area(self) -> int:
        """The picture's pixels."""
        return self.value(IMAGEWIDTH) * self.value(IMAGELENGTH)

    @property
    def is_full(self) -> bool:
        """Whether the file does not call it a smaller version, a mask or whatever else of another picture."""
        return self.value(NEW_SUBFILE_TYPE) in {0, _PAGE} and not self.is_preview

    @property
    def is_preview(self) -> bool:
        """Whether the file calls it a smaller version of another picture."""
        return is_reduced(self.value)


def is_reduced(value_of: Callable[[int, int], object]) -> bool:
    """Tell whether a directory's tags, each asked for with what stands for a missing one, say so of its picture."""
    kind = value_of(NEW_SUBFILE_TYPE, 0)
    return bool(isinstance(kind, int) and kind & _REDUCED) or value_of(OSUBFILETYPE, 0) == _OLD_REDUCED


class Layout(NamedTuple):
    """How numbers lie in this file."""

    #: "<" or ">".
    order: str
    is_big: bool

    def numbers(self, form: str, data: bytes) -> tuple[int, ...]:
        """Read numbers of a form such as "H"."""
        return struct.unpack(f"{self.order}{len(data) // struct.calcsize(form)}{form}", data)

    def header(self, first: int, original: bytes) -> bytes:
        """Return a file's header that calls the directory there the first."""
        at, form = (8, "Q") if self.is_big else (4, "I")
        return original[:at] + struct.pack(self.order + form, first)


def read_directory(file: IO[bytes], layout: Layout, offset: int) -> Directory:
    """Read the directory that begins there.

    Raises:
        one of `BROKEN`: it is broken.

    """
    begin, entry, link = ("Q", "HHQ8s", "Q") if layout.is_big else ("H", "HHI4s", "I")
    file.seek(offset)
    (count,) = layout.numbers(begin, file.read(struct.calcsize(begin)))
    if count > _MOST_ENTRIES:
        raise ValueError(f"a directory has {count} entries")
    size = struct.calcsize("=" + entry)
    table = file.read(count * size)
    after = file.read(struct.calcsize(link))
    found: dict[int, tuple[int, ...]] = {}
    for tag, kind, length, inline in struct.iter_unpack(layout.order + entry, table):
        form = _FORMS.get(kind)
        if form is None or tag not in _TAGS or tag in found:
            continue
        values = _values(file, layout, form, length, inline)
        if values:
            found[tag] = values
    return Directory(offset, found, layout.numbers(link, after)[0] if after else 0)


def _values(file: IO[bytes], layout: Layout, form: str, length: int, inline: bytes) -> tuple[int, ...]:
    size = length * struct.calcsize(form)
    if size <= len(inline):
        return layout.numbers(form, inline[:size])
    if size > _MOST_BYTES:
        return ()
    file.seek(layout.numbers("Q" if layout.is_big else "I", inline)[0])
    data = file.read(size)
    return layout.numbers(form, data) if len(data) == size else ()


def chain(file: IO[bytes], layout: Layout, offset: int, most: int) -> Iterator[Directory]:
    """Read a directory and those that follow it, at most so many, and none after a broken one."""
    seen: set[int] = set()
    while offset and offset not in seen and len(seen) < most:
        seen.add(offset)
        try:
            directory = read_directory(file, layout, offset)
        except BROKEN:
            return
        yield directory
        offset = directory.next
