"""Which of the pictures in a TIFF is meant: the first, unless the file itself calls that a preview of another."""

from collections.abc import Iterator
from typing import IO, NamedTuple

from PIL.TiffImagePlugin import SUBIFD

from worker.contract.errors import RowError
from worker.pictures.tiff.camera_raw import refuse_camera_raw
from worker.pictures.tiff.directories import BROKEN, Directory, Layout, chain, read_directory

#: Most directories that are looked at: pyramids have a dozen, and cameras five.
_MOST = 64

_HEADER_BYTES = 16
_LAYOUTS = {
    b"II*\0": Layout("<", is_big=False), b"MM\0*": Layout(">", is_big=False), b"II+\0": Layout("<", is_big=True),
    b"MM\0+": Layout(">", is_big=True),
}  # fmt: skip


class Choice(NamedTuple):
    """The picture that is meant."""

    #: The same file, with the picture that is meant in the first place.
    file: IO[bytes]
    picture: Directory
    #: The picture whose part it is, if it is none of its own.
    parent: Directory | None


def choose(file: IO[bytes]) -> Choice | None:
    """Return which picture of a TIFF is meant: the first, or the largest that is no preview where the first is one.

    A part of the first that is no preview and larger is taken before it. None where the file is no TIFF, or so
    broken that nothing can be said of it.

    Raises:
        RowError: it is camera raw, or a kind of TIFF that Pillow takes for another.

    """
    file.seek(0)
    header = file.read(_HEADER_BYTES)
    layout = _LAYOUTS.get(header[:4])
    try:
        found = None if layout is None else _found(file, layout, header)
    except BROKEN:
        found = None
    file.seek(0)
    return found


def _found(file: IO[bytes], layout: Layout, header: bytes) -> Choice | None:
    (offset,) = layout.numbers("Q", header[8:16]) if layout.is_big else layout.numbers("I", header[4:8])
    first = read_directory(file, layout, offset)
    parts = list(_parts(file, layout, first))
    refuse_camera_raw(header, [first, *parts])
    if layout.is_big and layout.order == ">":
        raise RowError("is a BigTIFF of big-endian order, which is not read; convert it to TIFF, PNG or JPEG")
    pictures = [first, *parts]
    if not first.is_full:
        for page in chain(file, layout, first.next, _MOST):
            pictures += [page, *_parts(file, layout, page)][: max(0, _MOST - len(pictures))]
        refuse_camera_raw(header, pictures)
    # A mask is no picture at all; a file of nothing else keeps its first.
    meant = [picture for picture in pictures if picture.is_full] or [one for one in pictures if one.is_preview]
    best = max(meant or [first], key=lambda picture: picture.area)
    if best is first:
        return Choice(file, first, None)
    start = layout.header(best.offset, header)
    return Choice(Redirected(file, start), best, first if best in parts else None)  # type: ignore[arg-type]


def _parts(file: IO[bytes], layout: Layout, directory: Directory) -> Iterator[Directory]:
    for offset in directory.values.get(SUBIFD, ())[:_MOST]:
        try:
            yield read_directory(file, layout, offset)
        except BROKEN:
            continue  # the picture itself may be whole


class Redirected:
    """A file whose first bytes are others; a copy of it would take as much memory again."""

    def __init__(self, file: IO[bytes], start: bytes) -> None:
        self._file, self._start = file, start

    def read(self, size: int = -1) -> bytes:
        """Read from where the file stands."""
        at = self._file.tell()
        data = self._file.read(size)
        return data if at >= len(self._start) else self._start[at : at + len(data)] + data[len(self._start) - at :]

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to another place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return where the file stands."""
        return self._file.tell()
