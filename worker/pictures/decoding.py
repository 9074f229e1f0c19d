"""An image file on its way in: found safe to read, decoded, turned upright, and brought to sRGB on white."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import ExifTags, Image
from PIL.Image import Transpose

from worker.contract.errors import RowError, TransientError, one_line
from worker.contract.parameters import MAX_PIXELS
from worker.contract.row_warnings import RowWarning
from worker.pictures import frames, salvaging
from worker.pictures.colours import packing_of, to_srgb_on_white
from worker.pictures.finding import Readable, found_under, length_of
from worker.pictures.opening import Damaged, opened
from worker.pictures.tiff.opening import is_preview
from worker.pictures.transient_errors import may_pass

#: Most characters of a path, and of a reason: decoders quote from files, and a path can be 4096 bytes of anything.
_LONGEST = 250

#: What makes a picture upright, by its EXIF orientation, from 2 on.
_TURNS: dict[object, Transpose] = dict(enumerate((
    Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM, Transpose.TRANSPOSE,
    Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90,
), start=2))  # fmt: skip


class Source(NamedTuple):
    """A decoded input picture."""

    #: RGB in sRGB, upright.
    image: Image.Image
    #: SHA-256 of the file's bytes, in hex.
    digest: str
    #: What is to be said of it.
    warnings: frozenset[RowWarning] = frozenset()


def size_of(path: Readable, *, max_pixels: int = MAX_PIXELS, root: Path | str | None = None) -> tuple[int, int]:
    """Return an image's width and height in pixels as they are stored, by its header.

    Raises:
        RowError: as `read`, as far as a header tells.

    """
    with _naming(path):
        found = found_under(path, root)
        length = length_of(found, max_pixels)
        with found.open("rb") as file:
            try:
                with opened(file, length, max_pixels) as image:
                    return image.size
            except Damaged:
                file.seek(0)
                if (mended := salvaging.mended(file.read(length))) is None:
                    raise
        with opened(BytesIO(mended), len(mended), max_pixels) as image:
            return image.size


def read(path: Readable, *, max_pixels: int = MAX_PIXELS, root: Path | str | None = None) -> Source:
    """Read and decode an image file, whatever its name: its first frame, upright, in sRGB, alpha composited on white.

    A file that is damaged beside its pixels is mended in memory. A missing one is looked for under another spelling,
    and never out of `root`, where there is one; that `path` itself lies in it is the caller's care.

    Raises:
        RowError: it is no regular file that can be read, is none of the formats, is broken, or has more than
            `max_pixels` or more than this machine has memory for; one sentence with the path and the reason.
        TransientError: its storage fails in a way that may pass.

    """
    said: set[RowWarning] = set()
    with _naming(path):
        if (found := found_under(path, root)) != path:
            said.add(RowWarning.IMAGE_RENAMED)
        length = length_of(found, max_pixels)
        with found.open("rb") as file:
            data = file.read(length)
        rgb = _decoded_or_mended(data, max_pixels, said)
        return Source(rgb, hashlib.sha256(data).hexdigest(), frozenset(said))


def _decoded_or_mended(data: bytes, max_pixels: int, said: set[RowWarning]) -> Image.Image:
    """Decode a file as it is or, where its decoder does not take it so and no pixel is missing, as it should be."""
    try:
        rgb = _decoded(data, max_pixels, said.add)
    except Damaged as error:
        reason = str(error)  # not the error itself, which holds on to pixels
    else:
        if not salvaging.lacks_pixels_perhaps(data):
            if salvaging.lacks_its_end(data):
                said.add(RowWarning.IMAGE_DAMAGED)
            return rgb
        del rgb
        reason = "is broken (its end is missing, and some of its pixels may be)"
    if (mended := salvaging.mended(data)) is None:
        raise RowError(reason)
    said.add(RowWarning.IMAGE_DAMAGED)
    try:
        return _decoded(mended, max_pixels, said.add, is_whole=salvaging.is_whole)
    except Damaged:
        raise RowError(reason) from None


def _decoded(
    data: bytes,
    max_pixels: int,
    warn: Callable[[RowWarning], None],
    *,
    is_whole: Callable[[bytes], bool] = lambda _: True,
) -> Image.Image:
    with opened(BytesIO(data), len(data), max_pixels) as image:
        if not is_whole(data):
            raise Damaged("is broken (some of its pixels are missing)")
        if is_preview(image):
            warn(RowWarning.IMAGE_PREVIEW)
        packing = packing_of(image)  # forgotten once it is decoded
        image.load()
        if frames.to_first_that_shows(image, max_pixels):
            warn(RowWarning.IMAGE_FRAME)
        if _has_broken_exif(image):
            warn(RowWarning.IMAGE_DAMAGED)
        return _upright(image, to_srgb_on_white(image, packing, data, warn))


@contextmanager
def _naming(path: Readable) -> Iterator[None]:
    """Turn what goes wrong into a sentence that names the file."""
    kind: type[RowError] = RowError
    try:
        yield
    except RowError as error:
        kind = TransientError if isinstance(error, TransientError) else RowError
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


def _has_broken_exif(image: Image.Image) -> bool:
    """Tell whether there is an EXIF block that does not begin as one, so that nobody knows which way is up."""
    block = image.info.get("exif") or b""
    tiff = block.removeprefix(b"Exif\0\0")
    return bool(tiff) and not tiff.startswith((b"II*\0", b"MM\0*"))


def _upright(image: Image.Image, rgb: Image.Image) -> Image.Image:
    # Not ImageOps.exif_transpose, which writes the whole EXIF block again and fails where any tag of it is malformed.
    try:
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except MemoryError:
        raise
    except Exception:
        turn = None  # no EXIF at all could be made out
    return rgb if turn is None else rgb.transpose(turn)
