"""A corpus of image files of every kind that is read, and of broken ones, with what each must become."""

import re
import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, features
from PIL.Image import Transpose

from worker.contract.errors import RowError
from worker.pictures.decoding import read

Pixels = list[tuple[int, int, int]]
BLACK, RED, WHITE = (0, 0, 0), (255, 0, 0), (255, 255, 255)


def grey(*shades: int) -> Pixels:
    """Return grey pixels."""
    return [(shade, shade, shade) for shade in shades]


def photo(width: int = 48, height: int = 32) -> Image.Image:
    """Paint a smooth picture that differs from place to place."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (across, down, Image.radial_gradient("L").resize((width, height))))


def row(mode: str, *values: object) -> Image.Image:
    """Return a picture of one row of pixels."""
    image = Image.new(mode, (len(values), 1))
    for x, value in enumerate(values):
        image.putpixel((x, 0), value)  # type: ignore[arg-type]
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Encode a picture."""
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def animated(kind: str, image: Image.Image, **options: object) -> bytes:
    """Encode a picture that is followed by its negative."""
    return encoded(image, kind, save_all=True, append_images=[image.point(lambda value: 255 - value)], **options)


def chunk(name: bytes, data: bytes) -> bytes:
    """Write a chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(kind: int, depth: int, *rows: bytes, extra: bytes = b"", size: tuple[int, int] = (3, 1), way: int = 0) -> bytes:
    """Write a PNG byte by byte; `kind` is its colour type: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, way))
    body = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))  # 0: the row is not filtered
    return b"\x89PNG\r\n\x1a\n" + header + extra + body + chunk(b"IEND", b"")


def words(*values: int) -> bytes:
    """Write 16-bit values as PNG and PGM have them."""
    return struct.pack(f">{len(values)}H", *values)


def trns(*values: int) -> bytes:
    """Write the chunk that says which shade or colour is transparent."""
    return chunk(b"tRNS", words(*values))


def interlaced(image: Image.Image) -> bytes:
    """Write an RGB picture as an interlaced PNG, in the seven passes of Adam7: first x and y, and their steps."""
    passes = (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
    values, (width, height), rows = image.tobytes(), image.size, []
    for left, top, across, down in passes:
        for y in range(top, height, down):
            starts = [3 * (y * width + x) for x in range(left, width, across)]
            rows.append(b"".join(values[at : at + 3] for at in starts))
    return png(2, 8, *rows, size=image.size, way=1)


def premultiplied(image: Image.Image) -> bytes:
    """Write a TIFF whose extra samples are called associated alpha (1) instead of unassociated (2)."""
    entry = struct.Struct("<HHIH")
    return encoded(image, "TIFF").replace(entry.pack(338, 3, 1, 2), entry.pack(338, 3, 1, 1))


def turned(orientation: int) -> bytes:
    """Encode the photo as a camera stores it that was held in this EXIF orientation."""
    back: tuple[Transpose | None, ...] = (
        None, Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM, Transpose.TRANSPOSE,
        Transpose.ROTATE_90, Transpose.TRANSVERSE, Transpose.ROTATE_270,
    )  # fmt: skip
    exif, turn = Image.Exif(), back[orientation - 1]
    exif[0x0112] = orientation
    return encoded(photo() if turn is None else photo().transpose(turn), "JPEG", exif=exif, quality=95, subsampling=0)


def tiled(width: int, length: int) -> bytes:
    """Write a TIFF of one pixel in a tile of this size, without the tile's content."""
    tags = {256: 1, 257: 1, 258: 8, 259: 8, 262: 1, 277: 1, 322: width, 323: length, 324: 8, 325: 1}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def plain_tiff(bits: int, photometric: int, data: bytes) -> bytes:
    """Write a grey TIFF of 3 × 1 pixels with these bits each, packed as they are."""
    tags = {256: 3, 257: 1, 258: bits, 259: 1, 262: photometric, 273: 0, 277: 1, 278: 1, 279: len(data)}
    tags[273] = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


PHOTO, SHADES = photo(), photo().convert("L")
PALETTE = chunk(b"PLTE", bytes((*RED, *BLACK)))
HALF = (0, 0, 0, 51)  # on white: 255 × (1 - 51/255) = 204
RED_OR_BLACK, RED_OR_NOT = row("RGB", RED, BLACK).quantize(2), row("RGBA", (*RED, 255), (*RED, 0))
TEXT = chunk(b"zTXt", b"prompt\0\0" + zlib.compress(bytes(2 * 2**20)))
FINE = {"quality": 95, "subsampling": 0}

#: Name, content, what it must become, and how far a value may be off: lossy formats, and 16 bits cut to 8.
PICTURES: list[tuple[str, bytes, Image.Image | Pixels, int]] = [
    *((f"held {way}.jpg", turned(way), PHOTO, 5) for way in range(1, 9)),
    ("progressive.jpg", encoded(PHOTO, "JPEG", progressive=True, **FINE), PHOTO, 5),
    ("subsampled.jpg", encoded(PHOTO, "JPEG", quality=95), PHOTO, 12),
    ("grey.jpg", encoded(SHADES, "JPEG", quality=95), SHADES, 5),
    ("cmyk.jpg", encoded(PHOTO.convert("CMYK"), "JPEG", quality=95), PHOTO, 5),
    ("two pictures.mpo", animated("MPO", PHOTO, **FINE), PHOTO, 5),
    ("grey.png", encoded(SHADES), SHADES, 0),
    ("grey 1.png", png(0, 1, b"\x40"), grey(0, 255, 0), 0),
    ("grey 2.png", png(0, 2, b"\x1b", size=(4, 1)), grey(0, 85, 170, 255), 0),
    ("grey 4.png", png(0, 4, b"\x0f\x80"), grey(0, 255, 136), 0),
    ("grey 16.png", png(0, 16, words(0, 32896, 65535)), grey(0, 128, 255), 0),  # ÷ 257
    ("grey 16 dark.png", png(0, 16, words(128, 129, 1000)), grey(0, 1, 4), 0),  # rounded
    ("grey 1 cut out.png", png(0, 1, b"\x40", extra=trns(0)), grey(255, 255, 255), 0),
    ("grey 2 cut out.png", png(0, 2, b"\x1b", size=(4, 1), extra=trns(2)), grey(0, 85, 255, 255), 0),
    ("grey 4 cut out.png", png(0, 4, b"\x0f\x80", extra=trns(8)), grey(0, 255, 255), 0),
    ("grey 8 cut out.png", png(0, 8, b"\5\6\7", extra=trns(6)), grey(5, 255, 7), 0),
    ("grey 16 cut out.png", png(0, 16, words(257, 256, 258), extra=trns(256)), grey(1, 255, 1), 0),
    ("grey alpha.png", encoded(row("LA", (100, 255), (100, 0), (0, 51))), grey(100, 255, 204), 0),
    ("grey alpha 16.png", png(4, 16, words(0, 65535, 0, 0, 25700, 65535)), grey(0, 255, 100), 0),
    ("rgb.png", encoded(PHOTO), PHOTO, 0),
    ("rgb 16.png", png(2, 16, words(65535, 255, 25700), size=(1, 1)), [(255, 0, 100)], 1),
    ("rgb cut out.png", png(2, 8, b"\5\6\7\5\6\7\5\6\6", extra=trns(5, 6, 7)), [WHITE, WHITE, (5, 6, 6)], 0),
    ("rgb 16 cut out.png", png(2, 16, words(0, 0, 9, 0, 0, 8, 9, 0, 9), extra=trns(0, 0, 9)), grey(255, 0, 0), 0),
    ("rgba.png", encoded(row("RGBA", (*RED, 255), (*RED, 0), HALF)), [RED, WHITE, *grey(204)], 0),
    ("rgba 16.png", png(6, 16, words(65535, 0, 0, 65535, 0, 0, 0, 0), size=(2, 1)), [RED, WHITE], 0),
    ("palette.png", encoded(SHADES.convert("P")), SHADES, 0),
    ("palette 1.png", png(3, 1, b"\x40", extra=PALETTE), [RED, BLACK, RED], 0),
    ("palette cut out.png", png(3, 8, b"\0\1\0", extra=PALETTE + chunk(b"tRNS", b"\0")), [WHITE, BLACK, WHITE], 0),
    ("palette alpha.png", png(3, 8, b"\0\1\1", extra=PALETTE + chunk(b"tRNS", b"\xff\x33")), [RED, *grey(204, 204)], 0),
    ("interlaced.png", interlaced(PHOTO), PHOTO, 0),
    ("animated.png", animated("PNG", PHOTO), PHOTO, 0),
    ("long text.png", png(0, 8, b"\1\2\3", extra=TEXT), grey(1, 2, 3), 0),
    ("lossy.webp", encoded(PHOTO, "WEBP", quality=95), PHOTO, 15),
    ("lossless.webp", encoded(PHOTO, "WEBP", lossless=True), PHOTO, 0),
    ("alpha.webp", encoded(RED_OR_NOT, "WEBP", lossless=True, exact=True), [RED, WHITE], 0),
    ("animated.webp", animated("WEBP", PHOTO, lossless=True), PHOTO, 0),
    ("grey.gif", encoded(SHADES, "GIF"), SHADES, 0),
    ("animated.gif", animated("GIF", SHADES), SHADES, 0),
    ("palette.gif", encoded(RED_OR_BLACK, "GIF"), [RED, BLACK], 0),
    ("cut out.gif", encoded(row("L", 0, 7, 9), "GIF", transparency=7, optimize=False), grey(0, 255, 9), 0),
    *((f"{way}.tiff", encoded(PHOTO, "TIFF", compression=way), PHOTO, 0) for way in ("raw", "tiff_lzw", "packbits")),
    ("jpeg.tiff", encoded(PHOTO, "TIFF", compression="jpeg", quality=95), PHOTO, 12),
    ("fax.tiff", encoded(row("1", 0, 255, 0), "TIFF", compression="group4"), grey(0, 255, 0), 0),
    ("two pages.tiff", animated("TIFF", PHOTO), PHOTO, 0),
    ("cmyk.tiff", encoded(row("CMYK", (0, 255, 255, 0), (0, 0, 0, 255)), "TIFF"), [RED, BLACK], 0),
    ("lab.tiff", encoded(row("LAB", (138, 209, 198), (255, 128, 128)), "TIFF"), [RED, WHITE], 6),  # L* 54, a* 81, b* 70
    ("palette.tiff", encoded(RED_OR_BLACK, "TIFF"), [RED, BLACK], 0),
    ("palette alpha.tiff", encoded(RED_OR_NOT.convert("PA"), "TIFF"), [RED, WHITE], 0),
    ("rgba.tiff", encoded(RED_OR_NOT, "TIFF"), [RED, WHITE], 0),
    ("premultiplied.tiff", premultiplied(row("RGBA", (51, 0, 0, 51), (0, 0, 0, 0))), [(255, 204, 204), WHITE], 0),
    ("premultiplied grey.tiff", premultiplied(row("LA", (51, 51), (0, 51))), grey(255, 204), 0),
    ("grey 16 little.tiff", encoded(row("I;16", 0, 32896, 65535), "TIFF"), grey(0, 128, 255), 0),
    ("grey 16 big.tiff", encoded(row("I;16B", 0, 32896, 65535), "TIFF"), grey(0, 128, 255), 0),
    ("grey 12.tiff", plain_tiff(12, 1, b"\x00\x08\x08\xff\xf0"), grey(0, 128, 255), 0),  # 0x000, 0x808, 0xfff
    ("grey 16 white is 0.tiff", plain_tiff(16, 0, struct.pack("<3H", 0, 32639, 65535)), grey(255, 128, 0), 0),
    ("grey 8 white is 0.tiff", plain_tiff(8, 0, b"\0\x7f\xff"), grey(255, 128, 0), 0),
    ("grey 32.tiff", encoded(row("I", 0, 32896, 65535), "TIFF"), grey(0, 128, 255), 0),
    ("rgb.bmp", encoded(PHOTO, "BMP"), PHOTO, 0),
    ("grey.bmp", encoded(SHADES, "BMP"), SHADES, 0),
    ("palette.bmp", encoded(RED_OR_BLACK, "BMP"), [RED, BLACK], 0),
    ("rgb.ppm", encoded(PHOTO, "PPM"), PHOTO, 0),
    ("grey 16.pgm", b"P5 3 1 65535 " + words(0, 32896, 65535), grey(0, 128, 255), 0),
    ("text.pbm", b"P1 3 1 0 1 0", grey(255, 0, 255), 0),
    ("lossless.jp2", encoded(PHOTO, "JPEG2000"), PHOTO, 0),
    ("a png.jpg", encoded(PHOTO), PHOTO, 0),
    ("a jpeg.png", encoded(PHOTO, "JPEG", **FINE), PHOTO, 5),
    ("a gif", encoded(SHADES, "GIF"), SHADES, 0),
]
if features.check("avif"):
    PICTURES += [
        ("lossy.avif", encoded(PHOTO, "AVIF", quality=95, subsampling="4:4:4"), PHOTO, 8),
        ("alpha.avif", encoded(RED_OR_NOT, "AVIF", quality=100, subsampling="4:4:4"), [RED, WHITE], 3),
        ("animated.avif", animated("AVIF", PHOTO, quality=95, subsampling="4:4:4"), PHOTO, 8),
    ]

NO_IMAGE = r"is no image in AVIF, BMP, .* or WEBP, or its header is broken \(\d+ bytes\)"
NO_RANGE = r"has no stated range of values \(convert it to 8 or 16 bits\)"
TOO_LARGE = "has more than 100000000 pixels"
CUT = ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000", *["AVIF"] * features.check("avif")]

GIF, WEBP = encoded(SHADES, "GIF"), encoded(PHOTO, "WEBP", exif=b"Exif")

#: Name, content, and what the refusal must say.
REFUSED: list[tuple[str, bytes, str]] = [
    ("nothing.png", b"", r"is empty \(0 bytes\)"),
    ("noise.jpg", b"\1\2\3 no picture", NO_IMAGE),
    ("text.jpg", b"no picture", "is text, not an image"),
    ("page.png", b"<!DOCTYPE html><html></html>", "is HTML, not an image"),
    ("program.eps", encoded(PHOTO, "EPS"), "is EPS or PostScript"),
    ("program.png", encoded(PHOTO, "EPS"), "is EPS or PostScript"),
    ("icon.ico", encoded(PHOTO, "ICO"), "is a Windows icon"),
    ("document.pdf", encoded(PHOTO, "PDF"), "is PDF, not an image"),
    ("wrong checksum.png", encoded(PHOTO).replace(b"\x08\x02\0\0\0", b"\x08\x02\0\0\1", 1), NO_IMAGE),
    ("only a start.png", encoded(PHOTO)[:20], "is broken"),
    ("no pixels.png", png(2, 8), "is broken"),
    ("not deflated.png", encoded(PHOTO).replace(b"IDATx", b"IDATy"), "is broken"),
    ("23 bits.bmp", encoded(PHOTO, "BMP").replace(b"\1\0\x18\0", b"\1\0\x17\0"), "is broken"),
    ("float.tiff", encoded(row("F", 0.0, 0.5), "TIFF"), NO_RANGE),
    ("beyond 16 bits.tiff", encoded(row("I", 0, 65536), "TIFF"), NO_RANGE),
    ("negative.tiff", encoded(row("I", -1, 9), "TIFF"), NO_RANGE),
    ("bomb.png", png(2, 8, size=(10_001, 10_000)), rf"{TOO_LARGE} \(10001x10000\)"),
    ("bomb beyond twice.png", png(2, 8, size=(30_000, 30_000)), TOO_LARGE),
    ("bomb.gif", GIF[:6] + b"\xff" * 4 + GIF[10:], TOO_LARGE),
    ("bomb.webp", WEBP[:24] + b"\xff" * 6 + WEBP[30:], TOO_LARGE),
    ("bomb in a tile.tiff", tiled(16_384, 8_192), rf"{TOO_LARGE} \(16384x8192\)"),
    *((f"cut off.{kind.lower()}", encoded(PHOTO, kind)[:-99], "is (broken|no image)") for kind in CUT),
    ("cut off progressive.jpg", encoded(PHOTO, "JPEG", progressive=True)[:-99], "is broken"),
]


@pytest.mark.parametrize(("name", "data", "expected", "within"), PICTURES, ids=[name for name, *_ in PICTURES])
def test_a_picture_arrives(tmp_path: Path, name: str, data: bytes, expected: Image.Image | Pixels, within: int) -> None:
    """Every picture of the corpus arrives as RGB with the pixels that it must have."""
    (tmp_path / name).write_bytes(data)
    image = read(tmp_path / name).image
    wanted = (row("RGB", *expected) if isinstance(expected, list) else expected).convert("RGB")
    assert (image.mode, image.size) == ("RGB", wanted.size)
    assert max(abs(a - b) for a, b in zip(image.tobytes(), wanted.tobytes(), strict=True)) <= within


@pytest.mark.parametrize(("name", "data", "reason"), REFUSED, ids=[name for name, *_ in REFUSED])
def test_a_broken_file_is_refused(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    """Every broken file of the corpus is refused in a sentence with its path and the reason."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(RowError, match=rf"^image {re.escape(str(tmp_path / name))}: {reason}.*\.$"):
        read(tmp_path / name)
