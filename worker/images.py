"""Pictures on their way to the model and back: decode safely, upright and RGB; fit to a bucket; restore."""

import hashlib
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, NoReturn

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from worker.buckets import Fit
from worker.errors import RowError

#: Most pixels of an input picture. A few kilobytes can unpack to gigabytes, so it is checked before decoding.
MAX_PIXELS = 100_000_000


#: What makes a picture upright, by its EXIF orientation.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Source(NamedTuple):
    """A decoded input picture."""

    #: RGB, upright.
    image: Image.Image
    #: SHA-256 of the file's bytes, in hex.
    digest: str


def read(path: Path) -> Source:
    """Read and decode an image file: RGB, upright by its EXIF orientation, alpha composited on white.

    Raises:
        RowError: there is no such file, or it is no picture that can be decoded; names the path.

    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise RowError(f"image {path}: no such file.") from None
    except IsADirectoryError:
        raise RowError(f"image {path}: is a folder, not a file.") from None
    except OSError as error:
        raise RowError(f"image {path}: cannot be read ({error.strerror}).") from None
    return Source(_decode(path, data), hashlib.sha256(data).hexdigest())


def _decode(path: Path, data: bytes) -> Image.Image:
    try:
        with Image.open(BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                _refuse_size(path, f" ({image.width}x{image.height})")
            image.load()
            return _to_rgb(_upright(image))
    except Image.DecompressionBombError:  # Pillow's own bound, above ours
        _refuse_size(path)
    except UnidentifiedImageError:
        raise RowError(f"image {path}: is no image that can be decoded ({len(data)} bytes).") from None
    except (RowError, MemoryError):
        raise
    # Decoders raise whatever a broken file makes them stumble over: struct.error, NotImplementedError, ...
    except Exception as error:
        raise RowError(f"image {path}: is broken ({error}).") from None


def _refuse_size(path: Path, found: str = "") -> NoReturn:
    raise RowError(f"image {path}: has more than {MAX_PIXELS // 10**6} million pixels{found}.") from None


def _upright(image: Image.Image) -> Image.Image:
    # Not ImageOps.exif_transpose, which writes the whole EXIF block again and fails where any tag of it is malformed.
    turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image if turn is None else image.transpose(turn)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        # Pillow clips 16 bits to 8 instead of scaling them.
        image = image.convert("I").point(lambda value: value / 257).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def fit(image: Image.Image, plan: Fit) -> Image.Image:
    """Return the picture at its bucket's size: stretched by at most 9 %, or padded by reflection beyond that."""
    inner = image.resize(plan.inner, Image.Resampling.LANCZOS)
    if plan.inner == tuple(plan.bucket):
        return inner
    padded = Image.new("RGB", plan.bucket)
    # Mirror images side by side reflect the edge on and on, however thin the picture is.
    across = _offsets(plan.bucket.width, plan.inner[0])
    down = _offsets(plan.bucket.height, plan.inner[1])
    for x, mirrored in across:
        for y, flipped in down:
            tile = ImageOps.mirror(inner) if mirrored else inner
            padded.paste(ImageOps.flip(tile) if flipped else tile, (x, y))
    return padded


def restore(edited: Image.Image, plan: Fit) -> Image.Image:
    """Return the edited picture in the shape of the output: the padding cut off, the stretch undone."""
    left, top = _padding(plan)
    box = (left, top, left + plan.inner[0], top + plan.inner[1])
    if plan.output == plan.inner:
        return edited.crop(box)
    return edited.resize(plan.output, Image.Resampling.LANCZOS, box=box)


def _padding(plan: Fit) -> tuple[int, int]:
    return (plan.bucket.width - plan.inner[0]) // 2, (plan.bucket.height - plan.inner[1]) // 2


def _offsets(whole: int, part: int) -> list[tuple[int, bool]]:
    """Return where tiles of `part` pixels begin that cover `whole`, one of them in the middle; odd ones mirrored."""
    middle = (whole - part) // 2
    first = -(-middle // part)
    return [(middle + step * part, step % 2 == 1) for step in range(-first, -(-(whole - middle) // part))]
