"""The strips or tiles of a TIFF: all there, before a decoder makes something up for those that are not."""

from typing import IO

from PIL import TiffImagePlugin as Tiff
from PIL.TiffImagePlugin import TiffImageFile

from worker.contract.errors import RowError

_PLAIN, _YCBCR, _PLANES = 1, 6, 2


def check_pieces(image: TiffImageFile, file: IO[bytes]) -> None:
    """Refuse a picture of which pieces are left out or cut off: readers disagree on what is to be seen there.

    Raises:
        RowError: so it is.

    """
    tags = image.tag_v2
    is_tiled = Tiff.TILEOFFSETS in tags
    offsets = tags.get(Tiff.TILEOFFSETS if is_tiled else Tiff.STRIPOFFSETS, ())
    counts = tags.get(Tiff.TILEBYTECOUNTS if is_tiled else Tiff.STRIPBYTECOUNTS, ())
    is_plain = tags.get(Tiff.COMPRESSION, _PLAIN) == _PLAIN
    length = file.seek(0, 2)
    if is_plain and len(offsets) == 1 and not any(counts):  # libtiff, too, finds out by itself
        counts = (length,)
    pieces = list(zip(offsets, counts, strict=False))
    if missing := sum(not (offset and count) for offset, count in pieces):
        raise RowError(f"is broken (of its {len(pieces)} pieces {missing} hold no pixels)")
    if is_plain and counts and tags.get(Tiff.PHOTOMETRIC_INTERPRETATION) != _YCBCR:
        found = sum(max(0, min(count, length - offset)) for offset, count in pieces)
        if found < (due := _bytes_of(image)):
            raise RowError(f"is broken (of the {due} bytes of its pixels {found} are there)")


def _bytes_of(image: TiffImageFile) -> int:
    """Return how many bytes the pixels of a picture take that is not compressed; of separate planes those of one."""
    tags = image.tag_v2
    bits = tags.get(Tiff.BITSPERSAMPLE, (1,))
    samples = 1 if tags.get(Tiff.PLANAR_CONFIGURATION) == _PLANES else tags.get(Tiff.SAMPLESPERPIXEL, 1)
    return int(tags[Tiff.IMAGELENGTH] * ((tags[Tiff.IMAGEWIDTH] * bits[0] * samples + 7) // 8))
