"""Opening an image file by its header: of a kind that is read, and of a size that is allowed."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from PIL import Image, ImageFile, PngImagePlugin, UnidentifiedImageError
from PIL.TiffImagePlugin import TILELENGTH, TILEWIDTH

from worker.contract.errors import RowError
from worker.pictures import heif, naming
from worker.pictures.tiff import opening as tiff

#: EPS and others are missing, since their decoders start other programs. MPO is opened as the JPEG that it begins with.
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")

# What is wrong with a file is said in its row's error. Pillow's own remarks would come a thousandfold, without a path.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)

# A megabyte of compressed text or profile, Pillow's own bound, does not make a picture broken.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY


class Damaged(RowError):  # noqa: N818 - as a file is
    """A file that its decoder does not take as it is."""


@contextmanager
def opened(file: IO[bytes], length: int, max_pixels: int) -> Iterator[ImageFile.ImageFile]:
    """Open an image of a size that is allowed; turn what a decoder stumbles over, also later, into a reason."""
    # Pillow's own bound must not stand before a higher limit. It must not be None either: GIF and WebP make room while
    # they are opened, with no other check before that, and a GIF of 43 bytes would take 4 GB. Pillow refuses more than
    # twice the bound, `_check_size` more than the limit. A process has one bound for all its threads, which may decode
    # under different limits, so it is only ever raised.
    Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, max_pixels)
    try:
        with _identified(file, length) as image:
            _check_size(image, max_pixels)
            yield image
    except Image.DecompressionBombError:
        raise RowError(f"has more than {max_pixels} pixels") from None
    except (RowError, MemoryError):
        raise
    except OSError as error:
        if error.errno is not None:  # the file's storage, where Pillow reads the header from it; its own have none
            raise
        raise Damaged(f"is broken ({error})") from None
    # Decoders raise whatever a broken file makes them stumble over: struct.error, NotImplementedError, ...
    except Exception as error:
        raise Damaged(f"is broken ({str(error) or type(error).__name__})") from None


def _identified(file: IO[bytes], length: int) -> ImageFile.ImageFile:
    """Open an image by its header, or say what else the file is."""
    try:
        return tiff.open_image(file, _FORMATS)
    except UnidentifiedImageError:
        pass
    file.seek(0)
    head = file.read(naming.HEAD)
    if naming.is_heif(head):
        file.seek(0)
        return heif.opened(file)
    if (kind := naming.kind_of(head)) is not None:
        raise RowError(kind)
    names = f"{', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}"
    raise Damaged(naming.text_of(head) or f"is no image in {names}, or its header is broken ({length} bytes)")


def _check_size(image: ImageFile.ImageFile, max_pixels: int) -> None:
    # A TIFF is decoded by whole tiles, and a tile can have any size, whatever that of the picture.
    tags = getattr(image, "tag_v2", {})
    tile = tags.get(TILEWIDTH), tags.get(TILELENGTH)
    for width, height in (image.size, tile):
        if isinstance(width, int) and isinstance(height, int) and width * height > max_pixels:
            raise RowError(f"has more than {max_pixels} pixels ({width}x{height})")
