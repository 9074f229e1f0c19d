"""Pictures with an ICC profile arrive in sRGB, as arithmetic has it."""

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from tests.support.files import encoded, farthest, photo, read_bytes

Primaries = tuple[tuple[float, float, float], ...]

#: Red, green and blue of sRGB as XYZ, adapted to the D50 of profiles: brucelindbloom.com.
SRGB: Primaries = (0.43607, 0.22249, 0.01393), (0.38515, 0.71689, 0.09708), (0.14307, 0.06061, 0.71410)


def xyz(*values: float) -> bytes:
    """Write a colour as a profile has it."""
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * value) for value in values))


def curve(*points: int) -> bytes:
    """Write a curve through points; one alone is a gamma, times 256."""
    return b"curv\0\0\0\0" + struct.pack(f">I{len(points)}H", len(points), *points)


def profile(space: bytes, tags: dict[bytes, bytes], pcs: bytes = b"XYZ ") -> bytes:
    """Write an ICC profile of version 2 for a device with this colour space."""
    directory, at = struct.pack(">I", len(tags)), 132 + 12 * len(tags)
    for name, data in tags.items():
        directory, at = directory + name + struct.pack(">II", at, len(data)), at + len(data)
    head = struct.pack(">IIB3x4s4s4s12x4s28x", at, 0, 2, b"mntr", space, pcs, b"acsp") + xyz(0.9642, 1, 0.8249)[8:]
    return head.ljust(128, b"\0") + directory + b"".join(tags.values())


def screen(red: int, green: int, blue: int, tone: bytes) -> bytes:
    """Write the profile of a screen with these of the primaries of sRGB."""
    colours = {b"rXYZ": xyz(*SRGB[red]), b"gXYZ": xyz(*SRGB[green]), b"bXYZ": xyz(*SRGB[blue])}
    return profile(b"RGB ", colours | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), tone))


def srgb(light: float) -> float:
    """Return what linear light of 0 to 1 is in sRGB, of 255 (IEC 61966-2-1)."""
    return 255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)


#: Linear light, and the channels in another order: green, blue, red.
ODD, GREY = screen(1, 2, 0, curve(256)), profile(b"GRAY", {b"kTRC": curve(256)})
#: A printer whose cyan is black and whose other inks are clear: 8-bit tables of 4 inks with 2 points each, to Lab.
INKS, EVEN = bytes(c for node in range(16) for c in ((0 if node >= 8 else 255), 128, 128)), bytes(range(256))
UNIT = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
PRINTER = profile(b"CMYK", {b"A2B0": b"mft1\0\0\0\0\4\3\2\0" + UNIT + EVEN * 4 + INKS + EVEN * 3}, b"Lab ")
COLOUR = (100, 150, 200)
IN_SRGB = [srgb(200 / 255), srgb(100 / 255), srgb(150 / 255)]


def flat(mode: str, value: int | tuple[int, ...]) -> Image.Image:
    """Return a picture of one colour."""
    return Image.new(mode, (2, 2), value)


@pytest.mark.parametrize(
    ("image", "kind", "icc", "expected"),
    [
        (flat("RGB", COLOUR), "PNG", ODD, IN_SRGB),
        (flat("RGB", COLOUR), "TIFF", ODD, IN_SRGB),
        (flat("RGB", (99, 99, 99)), "JPEG", ODD, [srgb(99 / 255)] * 3),
        (flat("RGB", COLOUR).quantize(2), "PNG", ODD, IN_SRGB),
        (flat("RGBA", (*COLOUR, 51)), "PNG", ODD, [204 + value / 5 for value in IN_SRGB]),
        (flat("L", 100), "PNG", GREY, [srgb(100 / 255)] * 3),
        (flat("L", 2), "JPEG", GREY, [srgb(2 / 255)] * 3),
        (flat("LA", (100, 51)), "PNG", GREY, [204 + srgb(100 / 255) / 5] * 3),
        (flat("I;16", 683), "PNG", GREY, [srgb(683 / 65535)] * 3),
        (flat("CMYK", (255, 0, 0, 0)), "JPEG", PRINTER, [0] * 3),
        (flat("CMYK", (0, 255, 255, 255)), "TIFF", PRINTER, [255] * 3),
        # What does not fit the picture, or is no profile, is ignored.
        (flat("RGB", COLOUR), "PNG", GREY, COLOUR),
        (flat("L", 100), "PNG", ODD, [100] * 3),
        (flat("CMYK", (255, 0, 0, 0)), "TIFF", ODD, (0, 255, 255)),
        (flat("LAB", (137, 128, 128)), "TIFF", ODD, [128] * 3),  # L* 53.7
        (flat("RGB", COLOUR), "PNG", b"no profile", COLOUR),
        (flat("RGB", COLOUR), "TIFF", ODD[:200], COLOUR),
        (flat("RGB", COLOUR), "PNG", profile(b"RGB ", {}), COLOUR),
    ],
)
def test_colours_arrive_in_srgb(
    tmp_path: Path, image: Image.Image, kind: str, icc: bytes, expected: list[float]
) -> None:
    """A picture with an ICC profile that fits it arrives in sRGB, as arithmetic has it."""
    got = read_bytes(tmp_path, encoded(image, kind, icc_profile=icc))
    assert got.getpixel((1, 1)) == pytest.approx(expected, abs=1)


def test_a_grey_profile_applies_to_16_bits_with_alpha(tmp_path: Path) -> None:
    """A profile of grey applies to 16-bit grey with alpha, too, which Pillow decodes as RGBA."""
    halves = Image.frombytes("LA", (2, 1), struct.pack(">HH", 25700, 65535))  # two pixels of 8 bits are one of 16
    data, header = encoded(halves, icc_profile=GREY), b"IHDR" + struct.pack(">IIBBBBB", 1, 1, 16, 4, 0, 0, 0)
    got = read_bytes(tmp_path, data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:])
    assert got.getpixel((0, 0)) == pytest.approx([srgb(25700 / 65535)] * 3, abs=1)


def test_a_picture_in_srgb_stays_as_it_is(tmp_path: Path) -> None:
    """A picture whose profile is that of sRGB arrives unchanged, but for rounding, and without the profile."""
    points = [at / 1023 for at in range(1024)]
    light = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in points]
    icc = screen(0, 1, 2, curve(*(round(65535 * value) for value in light)))
    got = read_bytes(tmp_path, encoded(photo(96, 64), icc_profile=icc))
    assert farthest(got, photo(96, 64)) <= 1
    assert got.info == {}
