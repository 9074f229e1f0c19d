"""Pictures on their way to the model and back: upright, RGB, undistorted, or refused with a reason."""

import hashlib
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageOps
from PIL.Image import Transpose

from worker.buckets import KONTEXT_BUCKETS, plan_fit
from worker.contract import Size
from worker.errors import RowError
from worker.images import fit, read, restore

RED, WHITE = (255, 0, 0), (255, 255, 255)
Pixel = tuple[int, int, int]


def png(width: int, height: int, *, kind: int = 2, depth: int = 8, trns: bytes = b"", rows: bytes = b"") -> bytes:
    """Write a PNG byte by byte; `kind` is its colour type: 0 grey, 2 RGB, 4 grey with alpha."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    body = (chunk(b"tRNS", trns) if trns else b"") + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + body


def read_bytes(folder: Path, data: bytes) -> Image.Image:
    """Read a picture that consists of these bytes."""
    path = folder / "picture"
    path.write_bytes(data)
    return read(path).image


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Encode a picture."""
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(image: Image.Image) -> list[Pixel]:
    """Return all pixels, row by row."""
    assert image.mode == "RGB"
    values = image.tobytes()
    return [(values[at], values[at + 1], values[at + 2]) for at in range(0, len(values), 3)]


def photo(width: int, height: int) -> Image.Image:
    """Paint a smooth picture that differs from place to place."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (across, down, Image.radial_gradient("L").resize((width, height))))


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of two pictures, of 255."""
    assert one.size == other.size
    pairs = zip(one.tobytes(), other.tobytes(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / len(one.tobytes())


#: What a camera did to the picture, by EXIF orientation: the inverse of how a viewer must turn it.
TURNED: dict[int, Transpose | None] = {
    1: None, 2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE, 6: Transpose.ROTATE_90, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_270,
}  # fmt: skip


def exif(orientation: int, tag: int = 0x0131, kind: int = 2) -> bytes:
    """Write an EXIF block with an orientation and, before or after it, one more tag of four bytes."""
    entries = [struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0), struct.pack(">HHI4s", tag, kind, 1, b"\0\0\0\x1a")]
    return b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 2) + b"".join(sorted(entries)) + bytes(4)


@pytest.mark.parametrize("orientation", TURNED)
def test_a_picture_arrives_upright(tmp_path: Path, orientation: int) -> None:
    """A picture that was stored turned or mirrored arrives as its EXIF orientation says."""
    upright, turn = photo(6, 4), TURNED[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    assert pixels(read_bytes(tmp_path, encoded(stored, exif=exif(orientation)))) == pixels(upright)


@pytest.mark.parametrize(
    ("tag", "kind"),
    [(0x0100, 2), (0x010F, 12), (0x011A, 7), (0x014A, 1)],
    ids=["text as width", "double as maker", "bytes as resolution", "bytes as sub-picture"],
)
def test_a_malformed_tag_does_not_spoil_a_picture(tmp_path: Path, tag: int, kind: int) -> None:
    """A whole picture with a malformed EXIF tag beside its orientation arrives, and upright."""
    stored = encoded(photo(6, 4), "JPEG", exif=exif(6, tag, kind))
    assert read_bytes(tmp_path, stored).size == (4, 6)


def shades(*values: int) -> bytes:
    """Write a row of 16-bit values, unfiltered."""
    return b"\0" + struct.pack(f">{len(values)}H", *values)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (encoded(Image.new("L", (1, 1), 7)), [(7, 7, 7)]),
        (encoded(Image.new("1", (1, 1), 1)), [WHITE]),
        (encoded(Image.new("RGB", (1, 1), RED).quantize(2)), [RED]),
        (encoded(Image.new("CMYK", (1, 1), (0, 255, 255, 0)), "TIFF"), [RED]),
        (encoded(Image.new("RGBA", (1, 1), (255, 0, 0, 255))), [RED]),
        (encoded(Image.new("RGBA", (1, 1), (255, 0, 0, 0))), [WHITE]),  # alpha on white, not on black
        (encoded(Image.new("RGBA", (1, 1), (0, 0, 0, 51))), [(204, 204, 204)]),  # 255 × (1 - 51/255)
        (encoded(Image.new("LA", (1, 1), (0, 0))), [WHITE]),
        (encoded(Image.new("LA", (1, 1), (100, 255))), [(100, 100, 100)]),
        (encoded(Image.new("RGB", (1, 1), RED).quantize(2), transparency=0), [WHITE]),
        (encoded(Image.new("RGB", (1, 1), RED), transparency=RED), [WHITE]),
        (png(3, 1, kind=0, depth=16, rows=shades(0, 32896, 65535)), [(0,) * 3, (128,) * 3, WHITE]),  # ÷ 257
        (png(2, 1, kind=4, depth=16, rows=shades(0, 65535, 0, 0)), [(0,) * 3, WHITE]),
        # The second of three shades is transparent, and no other.
        (png(3, 1, kind=0, depth=16, trns=b"\x80\x80", rows=shades(0, 32896, 257)), [(0,) * 3, WHITE, (1,) * 3]),
    ],
    ids=["grey", "bitmap", "palette", "cmyk", "opaque", "transparent", "half transparent", "grey transparent",
         "grey opaque", "palette transparent", "rgb transparent", "16 bit", "16 bit alpha", "16 bit transparent"],
)  # fmt: skip
def test_the_model_gets_rgb(tmp_path: Path, data: bytes, expected: list[Pixel]) -> None:
    """Whatever the mode of a picture, its colours arrive as RGB, and what is transparent is white."""
    assert pixels(read_bytes(tmp_path, data)) == expected


def test_a_picture_brings_its_digest(tmp_path: Path) -> None:
    """The digest is that of the file's bytes."""
    path = tmp_path / "a.png"
    path.write_bytes(encoded(photo(6, 4)))
    assert read(path).digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda _: None, "no such file"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b""), r"is no image .* \(0 bytes\)"),
        (lambda path: path.write_text("no picture"), r"is no image .* \(10 bytes\)"),
        (lambda path: path.write_bytes(encoded(photo(64, 64))[:800]), "is broken"),
        (lambda path: path.write_bytes(encoded(photo(64, 64), "JPEG")[:800]), "is broken"),
        (lambda path: path.write_bytes(png(4, 4)), "is broken"),  # a header and no pixels
    ],
    ids=["missing", "folder", "empty", "text", "truncated png", "truncated jpeg", "no pixels"],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, make: Callable[[Path], object], reason: str) -> None:
    """A file that cannot be decoded is refused in a sentence with its path and the reason."""
    path = tmp_path / "a.png"
    make(path)
    with pytest.raises(RowError, match=rf"^image {path}: {reason}.*\.$"):
        read(path)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("width", [10_001, 30_000], ids=["1 row too many", "nine times too many"])
def test_too_many_pixels_are_refused(tmp_path: Path, width: int) -> None:
    """A picture of more than 100 million pixels is refused for its size, by its header alone."""
    path = tmp_path / "bomb.png"
    path.write_bytes(png(width, width - 1))
    with pytest.raises(RowError, match=f"{path}: has more than 100 million pixels"):
        read(path)


@pytest.mark.parametrize("way", ["auto", "input"])
@pytest.mark.parametrize(
    "size", [(400, 600), (640, 360), (333, 777), (1200, 100), (100, 1200), (30, 1500), (1500, 30), (1, 50), (50, 1)]
)
def test_there_and_back(size: tuple[int, int], way: Size) -> None:
    """A picture that the model leaves as it is comes back as it was, whatever its shape."""
    plan = plan_fit(*size, KONTEXT_BUCKETS, way)
    original = photo(*size)
    fitted = fit(original, plan)
    assert fitted.size == plan.bucket
    back = restore(fitted, plan)
    assert back.size == plan.output
    assert difference(back, original.resize(plan.output, Image.Resampling.LANCZOS)) < 2


@pytest.mark.parametrize("size", [(600, 100), (100, 600), (20, 1000)])
def test_padding_continues_the_edge(size: tuple[int, int]) -> None:
    """On both sides of a picture the model sees its mirror image, so that no line shows where it ends."""
    plan = plan_fit(*size, KONTEXT_BUCKETS, "auto")
    fitted, width, height, inner = fit(photo(*size), plan), *plan.bucket, plan.inner[1]
    if plan.inner[0] < width:  # padded to the left and right: look at it sideways
        fitted, width, height, inner = fitted.transpose(Transpose.TRANSPOSE), height, width, plan.inner[0]
    top = (height - inner) // 2
    for edge, near in ((top, min(top, inner)), (top + inner, min(height - top - inner, inner))):
        above, below = fitted.crop((0, edge - near, width, edge)), fitted.crop((0, edge, width, edge + near))
        assert near > 0
        assert above.tobytes() == ImageOps.flip(below).tobytes()


@pytest.mark.parametrize("size", [(1920, 1080), (600, 900), (1500, 400)])
def test_a_circle_stays_round(size: tuple[int, int]) -> None:
    """A circle in the input is a circle in the output, within two pixels."""
    image = Image.new("L", size)
    middle, radius = (size[0] // 2, size[1] // 2), min(size) // 3
    ImageDraw.Draw(image).circle(middle, radius, fill=255)
    plan = plan_fit(*size, KONTEXT_BUCKETS, "auto")
    back = restore(fit(image.convert("RGB"), plan), plan)
    left, top, right, bottom = back.convert("L").point(lambda value: 255 * (value > 127)).getbbox() or (0, 0, 0, 0)
    assert abs((right - left) - (bottom - top)) <= 2
    assert right - left > 0
