"""What a camera's sensor saw, in the clothes of a TIFF: known by its content, and refused by its name."""

from collections.abc import Iterable

from PIL.ExifTags import Base
from PIL.TiffImagePlugin import COMPRESSION, PHOTOMETRIC_INTERPRETATION

from worker.contract.errors import RowError
from worker.pictures import naming
from worker.pictures.tiff.directories import DNG_VERSION, Directory

#: Photometric interpretations of raw pixels: behind a filter of colours, and linear.
_RAW_PIXELS = frozenset({32803, 34892})

#: Compressions that are cameras' own: of Sony, Samsung, Nikon, Kodak and Pentax.
_RAW_COMPRESSIONS = frozenset({32767, 32770, 34713, 65000, 65535})

#: What follows the header of a kind that no tag tells.
_MAGIC = {b"CR": "CR2", b"IIII": "IIQ", b"MMMM": "IIQ"}

#: What makers call theirs, by how the maker's name begins.
_NAMES = {
    "canon": "CR2", "epson": "ERF", "hasselblad": "3FR", "kodak": "DCR", "eastman kodak": "DCR", "leaf": "MOS",
    "mamiya": "MEF", "nikon": "NEF", "pentax": "PEF", "phase one": "IIQ", "ricoh": "PEF", "samsung": "SRW",
    "seiko epson": "ERF", "sony": "ARW",
}  # fmt: skip


def refuse_camera_raw(header: bytes, directories: Iterable[Directory]) -> None:
    """Refuse a file that holds what must be developed before it is a picture.

    Raises:
        RowError: it does.

    """
    name = _name_of(header, list(directories))
    if name is not None:
        raise RowError(naming.CAMERA_RAW.format(name))


def _name_of(header: bytes, directories: list[Directory]) -> str | None:
    for magic, name in _MAGIC.items():
        if header[8:].startswith(magic):
            return name
    if any(DNG_VERSION in directory.values for directory in directories):
        return "DNG"
    if not any(_is_raw(directory) for directory in directories):
        return None
    maker = next((text for directory in directories if (text := directory.text(Base.Make))), "")
    named = (name for begin, name in _NAMES.items() if maker.lower().startswith(begin))
    return next(named, maker or "of no known maker")


def _is_raw(directory: Directory) -> bool:
    pixels, compression = directory.value(PHOTOMETRIC_INTERPRETATION), directory.value(COMPRESSION)
    return pixels in _RAW_PIXELS or compression in _RAW_COMPRESSIONS
