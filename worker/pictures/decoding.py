"""An image file on its way in: found safe to read, decoded, turned upright, and brought to sRGB on white."""

import hashlib
import logging
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, NamedTuple

from PIL import ExifTags, Image, ImageFile, PngImagePlugin, UnidentifiedImageError
from PIL.Image import Transpose
from PIL.TiffImagePlugin import TILELENGTH, TILEWIDTH

from worker.contract.errors import RowError, TransientError, one_line
from worker.contract.parameters import MAX_PIXELS
from worker.contract.row_warnings import RowWarning
from worker.pictures.colours import packing_of, to_srgb_on_white
from worker.pictures.inline import InlineFile
from worker.pictures.transient_errors import may_pass

#: EPS and others are missing, since their decoders start other programs. MPO is opened as the JPEG that it begins with.
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")

#: The most that a pixel takes up in a file, as 16-bit RGBA; and generous room for profiles, notes and previews.
_PIXEL_BYTES, _OTHER_BYTES = 8, 64 * 2**20

#: Most characters of a path, and of a reason: decoders quote from files, and a path can be 4096 bytes of anything.
_LONGEST = 250

#: What makes a picture upright, by its EXIF orientation, from 2 on.
_TURNS: dict[object, Transpose] = dict(enumerate((
    Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM, Transpose.TRANSPOSE,
    Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90,
), start=2))  # fmt: skip

# What is wrong with a file is said in its row's error. Pillow's own remarks would come a thousandfold, without a path.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)

# A megabyte of compressed text or profile, Pillow's own bound, does not make a picture broken.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY


class Source(NamedTuple):
    """A decoded input picture."""

    #: RGB in sRGB, upright.
    image: Image.Image
    #: SHA-256 of the file's bytes, in hex.
    digest: str
    #: What is to be said of it.
    warnings: frozenset[RowWarning] = frozenset()


def size_of(path: Path | InlineFile, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Return an image's width and height in pixels as they are stored, by its header.

    Raises:
        RowError: as `read`, as far as a header tells.

    """
    with _naming(path):
        length = _length(path, max_pixels)
        with path.open("rb") as file, _opened(file, length, max_pixels) as image:
            return image.size


def read(path: Path | InlineFile, *, max_pixels: int = MAX_PIXELS) -> Source:
    """Read and decode an image file, whatever its name: its first frame, upright, in sRGB, alpha composited on white.

    Raises:
        RowError: it is no regular file that can be read, is none of the formats, is broken, or has more than
            `max_pixels` or more than this machine has memory for; one sentence with the path and the reason.
        TransientError: its storage fails in a way that may pass.

    """
    with _naming(path):
        length = _length(path, max_pixels)
        with path.open("rb") as file:
            data = file.read(length)
        with _opened(BytesIO(data), length, max_pixels) as image:
            packing = packing_of(image)  # forgotten once it is decoded
            image.load()
            rgb = _upright(image, to_srgb_on_white(image, packing, data))
        return Source(rgb, hashlib.sha256(data).hexdigest())


@contextmanager
def _naming(path: Path | InlineFile) -> Iterator[None]:
    """Turn what goes wrong into a sentence that names the file."""
    kind = RowError
    try:
        yield
    except RowError as error:
        reason = one_line(error, _LONGEST)
    except FileNotFoundError:
        reason = "no such file"
    except MemoryError:
        reason = "needs more memory than this machine has free"
    except (OSError, ValueError) as error:  # ValueError: a path that no file can have
        reason = f"cannot be read ({getattr(error, 'strerror', None) or error})"
        if isinstance(error, OSError) and may_pass(error):
            kind = TransientError
    else:
        return
    raise kind(f"image {one_line(path, _LONGEST)}: {reason}.") from None


def _length(path: Path | InlineFile, max_pixels: int) -> int:
    """Return a file's length in bytes, known before it is opened: a FIFO would wait, and a device may never end."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        kind = "folder" if stat.S_ISDIR(found.st_mode) else "device, a FIFO or a socket"
        raise RowError(f"is a {kind}, not a file")
    if found.st_size > (most := max_pixels * _PIXEL_BYTES + _OTHER_BYTES):
        raise RowError(f"is too large ({found.st_size} bytes; at most {most} are read)")
    if not found.st_size:
        raise RowError("is empty (0 bytes)")
    return found.st_size


@contextmanager
def _opened(file: IO[bytes], length: int, max_pixels: int) -> Iterator[ImageFile.ImageFile]:
    """Open an image of a size that is allowed; turn what a decoder stumbles over, also later, into a reason."""
    # Pillow's own bound must not stand before a higher limit. It must not be None either: GIF and WebP make room while
    # they are opened, with no other check before that, and a GIF of 43 bytes would take 4 GB. Pillow refuses more than
    # twice the bound, `_check_size` more than the limit. A process has one bound for all its threads, which may decode
    # under different limits, so it is only ever raised.
    Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, max_pixels)
    try:
        with Image.open(file, formats=_FORMATS) as image:
            _check_size(image, max_pixels)
            yield image
    except Image.DecompressionBombError:
        raise RowError(f"has more than {max_pixels} pixels") from None
    except UnidentifiedImageError:
        names = f"{', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}"
        raise RowError(f"is no image in {names}, or its header is broken ({length} bytes)") from None
    except (RowError, MemoryError):
        raise
    except OSError as error:
        if error.errno is not None:  # the file's storage, where Pillow reads the header from it; its own have none
            raise
        raise RowError(f"is broken ({error})") from None
    # Decoders raise whatever a broken file makes them stumble over: struct.error, NotImplementedError, ...
    except Exception as error:
        raise RowError(f"is broken ({str(error) or type(error).__name__})") from None


def _check_size(image: ImageFile.ImageFile, max_pixels: int) -> None:
    # A TIFF is decoded by whole tiles, and a tile can have any size, whatever that of the picture.
    tags = getattr(image, "tag_v2", {})
    tile = tags.get(TILEWIDTH), tags.get(TILELENGTH)
    for width, height in (image.size, tile):
        if isinstance(width, int) and isinstance(height, int) and width * height > max_pixels:
            raise RowError(f"has more than {max_pixels} pixels ({width}x{height})")


def _upright(image: Image.Image, rgb: Image.Image) -> Image.Image:
    # Not ImageOps.exif_transpose, which writes the whole EXIF block again and fails where any tag of it is malformed.
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except MemoryError:
        raise
    except Exception:
        turn = None  # no EXIF at all could be made out
    return rgb if turn is None else rgb.transpose(turn)
