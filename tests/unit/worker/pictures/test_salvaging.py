"""Damaged files: taken with a warning while all pixels are there, and refused as soon as one is missing."""

import random
import re
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageFile

from tests.support.files import encoded, farthest, photo
from worker.contract.errors import RowError
from worker.contract.row_warnings import RowWarning
from worker.pictures.decoding import read, size_of

DAMAGED = frozenset({RowWarning.IMAGE_DAMAGED})
END = b"\xff\xd9"


def noisy(width: int, height: int) -> Image.Image:
    """Return a picture each of whose pixels is a surprise."""
    noise = random.Random(1).randbytes(3 * width * height)  # noqa: S311 - a picture
    return Image.blend(photo(width, height), Image.frombytes("RGB", (width, height), noise), 0.3)


def chunk(name: bytes, content: bytes, *, good: bool = True) -> bytes:
    """Write a chunk of a PNG, with its checksum or with a wrong one."""
    checksum = zlib.crc32(name + content) ^ (not good)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def with_chunk(data: bytes, extra: bytes) -> bytes:
    """Put a chunk between the header and the pixels of a PNG."""
    return data[:33] + extra + data[33:]


@pytest.fixture
def look(tmp_path: Path) -> "Look":
    """Read files by their bytes."""
    return Look(tmp_path / "a")


class Look:
    """Reads bytes as a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def taken(self, data: bytes, whole: bytes, warnings: frozenset[RowWarning] = DAMAGED) -> None:
        """Make sure that a file is taken, with warnings, and just as the whole one."""
        self._path.write_bytes(whole)
        expected = read(self._path).image
        self._path.write_bytes(data)
        source = read(self._path)
        assert size_of(self._path) in {expected.size, expected.size[::-1]}
        assert source.warnings == warnings
        assert farthest(source.image, expected) == 0

    def refused(self, data: bytes, reason: str = "is (broken|no image)") -> None:
        """Make sure that a file is refused."""
        self._path.write_bytes(data)
        with pytest.raises(RowError, match=rf": {reason}"):
            read(self._path)


#: Every way in which the data of a JPEG are put in order.
JPEGS: dict[str, bytes] = {
    "baseline": encoded(noisy(40, 24), "JPEG"),
    "own tables": encoded(noisy(40, 24), "JPEG", optimize=True),
    "smooth": encoded(photo(40, 24), "JPEG", quality=30),
    "one colour": encoded(Image.new("RGB", (40, 24), "teal"), "JPEG", optimize=True),
    "full colour": encoded(noisy(40, 24), "JPEG", quality=100, subsampling=0),
    "grey": encoded(noisy(40, 24).convert("L"), "JPEG"),
    "cmyk": encoded(noisy(40, 24).convert("CMYK"), "JPEG"),
    "restarts": encoded(noisy(40, 24), "JPEG", restart_marker_blocks=2),
    "progressive": encoded(noisy(40, 24), "JPEG", progressive=True),
    "progressive with restarts": encoded(photo(40, 24), "JPEG", progressive=True, restart_marker_blocks=2),
    "progressive grey": encoded(photo(40, 24).convert("L"), "JPEG", progressive=True),
    "one block": encoded(noisy(8, 8), "JPEG"),
}


@pytest.mark.parametrize("whole", JPEGS.values(), ids=JPEGS)
def test_a_jpeg_without_its_end_is_taken_exactly_while_it_has_all_pixels(look: Look, whole: bytes) -> None:
    """Without its end marker, or with half of it, it is taken; without one more byte, or any number, it is not."""
    assert whole.endswith(END)
    look.taken(whole[:-2], whole)
    look.taken(whole[:-1], whole)
    for length in [*range(len(whole) - 90, len(whole) - 2), *range(2, len(whole) - 90, 31)]:
        look.refused(whole[:length])


@pytest.mark.parametrize("whole", JPEGS.values(), ids=JPEGS)
def test_zeros_do_not_count_as_pixels(look: Look, whole: bytes) -> None:
    """A file whose room was taken before it was written to ends with zeros: they stand for no pixels."""
    look.taken(whole[:-2] + bytes(3000), whole)
    for missing in (3, 4, 9, 30, 200):
        look.refused(whole[:-missing] + bytes(3000))


def test_a_progressive_jpeg_needs_all_of_its_scans(look: Look) -> None:
    """Where whole scans are missing the decoder shows a blurred picture without a word; it is refused."""
    whole = JPEGS["progressive"]
    scans = [found.start() for found in re.finditer(rb"\xff\xda", whole)]
    assert len(scans) > 5
    for begin in scans[1:]:
        table = whole.rfind(b"\xff\xc4", 0, begin)  # the scan's own table comes first
        look.refused(whole[:table])
        look.refused(whole[:begin])


def test_a_photo_without_its_end_is_taken(look: Look) -> None:
    """As large as photographs are, it costs a second look and no more."""
    whole = encoded(noisy(640, 480), "JPEG")
    look.taken(whole[:-2], whole)
    look.refused(whole[: len(whole) // 2])


@pytest.mark.parametrize("garbage", [b"\n", b"HTTP/1.1 200 OK\r\n\r\n", b"<br />Notice: x in y.php<br />", bytes(4096)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_bytes_before_the_start_are_passed_over(look: Look, kind: str, garbage: bytes) -> None:
    """What a server has put before a picture does not belong to it."""
    whole = encoded(noisy(40, 24), kind)
    look.taken(garbage + whole, whole)
    look.taken(garbage + whole + b"\r\n--boundary--\r\n", whole)
    look.refused(garbage + whole[:-60], "(is (broken|HTML|XML|text|no image)|holds nothing)")


def test_a_jpeg_may_lack_its_end_and_have_another_start(look: Look) -> None:
    """A file may be damaged in two ways."""
    whole = JPEGS["baseline"]
    look.taken(b"\0\0\0" + whole[:-2], whole)


def test_a_preview_in_another_file_is_not_the_picture(look: Look) -> None:
    """A picture that begins late, or is followed by much else, belongs to a file of a kind that is not known here."""
    whole = encoded(noisy(40, 24), "JPEG")
    look.refused(b"\1" * 4097 + whole)
    look.refused(b"\1" * 50 + whole + b"\2" * 5000)
    look.refused(b"8BPS" + bytes(50) + whole, "is PSD")
    look.refused(encoded(noisy(40, 24), "ICO"), "is a Windows icon")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_bytes_after_the_end_are_nothing_to_speak_of(look: Look, kind: str) -> None:
    """Cameras and programs put much behind a picture; the file is whole."""
    whole = encoded(noisy(40, 24), kind)
    for garbage in (b"\0", b"MotionPhoto_Data" * 5000):
        look.taken(whole + garbage, whole, frozenset())


RGB = encoded(noisy(40, 24))
PALETTE = encoded(noisy(40, 24).quantize(16))
PHYSICAL = struct.pack(">IIB", 2835, 2835, 1)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (b"tEXt", b"Comment\0hello"), (b"zTXt", b"Comment\0\0" + zlib.compress(b"hello")), (b"pHYs", PHYSICAL),
        (b"gAMA", b"\0\0\xb1\x8f"), (b"tIME", bytes(7)), (b"eXIf", b"II*\0\x08\0\0\0\0\0"), (b"iCCP", b"x\0\0nothing"),
        (b"iTXt", b"no text"), (b"prVt", b"anything"), (b"acTL", struct.pack(">II", 2, 0)),
    ],
)  # fmt: skip
def test_a_damaged_chunk_beside_the_pixels_is_left_out(look: Look, name: bytes, content: bytes) -> None:
    """A wrong checksum in what a picture can do without costs that alone."""
    look.taken(with_chunk(RGB, chunk(name, content, good=False)), RGB)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        *((kind, "exif") for kind in ("PNG", "JPEG", "WEBP")),
        *((kind, "icc_profile") for kind in ("PNG", "JPEG", "TIFF")),
    ],
)
def test_a_profile_or_an_exif_block_that_is_none_is_ignored(look: Look, kind: str, what: str) -> None:
    """What cannot be understood beside the pixels costs that alone, and a warning."""
    look.taken(encoded(noisy(40, 24), kind, **{what: b"Exif\0\0nonsense"}), encoded(noisy(40, 24), kind))


def test_a_profile_that_cannot_be_unpacked_is_ignored(look: Look) -> None:
    """Of a PNG, the profile is compressed by itself."""
    look.taken(with_chunk(RGB, chunk(b"iCCP", b"x\0\0nothing")), RGB)


@pytest.mark.parametrize(
    "damaged",
    [
        RGB.replace(RGB[29:33], b"\0\0\0\0", 1),
        PALETTE.replace(b"PLTE", b"PLTF", 1),
        with_chunk(RGB, chunk(b"tRNS", bytes(6), good=False)),
        with_chunk(RGB, chunk(b"ABCD", b"needed", good=False)),
        with_chunk(RGB, chunk(b"tEXt", b"a\0b", good=False))[:-30],
    ],
    ids=["header", "palette", "transparent colour", "unknown and needed", "pixels missing as well"],
)
def test_a_damaged_chunk_that_pixels_need_is_an_error(look: Look, damaged: bytes) -> None:
    """What pixels are made of keeps its checks."""
    look.refused(damaged)


def test_damaged_pixels_stay_an_error_in_a_mended_png(look: Look) -> None:
    """In a file that is known to be damaged, a pixel's wrong bit is found by its checksum."""
    text, place = chunk(b"tEXt", b"a\0b", good=False), RGB.index(b"IDAT") + 200
    flipped = RGB[:place] + bytes([RGB[place] ^ 4]) + RGB[place + 1 :]
    look.refused(with_chunk(flipped, text))


@pytest.mark.parametrize("length", [-1, -4, -8, -12, -13, -16])
def test_a_png_without_its_end_is_taken(look: Look, length: int) -> None:
    """Its last 12 bytes hold no pixels, and the 4 before them are a checksum."""
    look.taken(RGB[:length], RGB)
    look.taken(with_chunk(RGB, chunk(b"tEXt", b"a\0b", good=False))[:length], RGB)


def test_a_png_whose_end_has_a_wrong_checksum_is_taken(look: Look) -> None:
    """The end has no content that could be wrong."""
    look.taken(RGB[:-12] + chunk(b"IEND", b"", good=False), RGB)


@pytest.mark.parametrize("data", [RGB, PALETTE], ids=["rgb", "palette"])
def test_a_png_that_lacks_pixels_is_an_error(look: Look, data: bytes) -> None:
    """Wherever it ends before its last row's end, it is refused."""
    for length in [*range(9, len(data) - 30, 97), len(data) - 30]:
        look.refused(data[:length])


def test_a_webp_without_its_padding_is_taken(look: Look) -> None:
    """A byte that only makes a length even is no pixel; one more, and it is refused."""
    sizes = ((width, encoded(noisy(width, 24), "WEBP", lossless=True)) for width in range(30, 60))
    whole = next(data for _, data in sizes if struct.unpack_from("<I", data, 16)[0] % 2)
    look.taken(whole[:-1], whole)
    for missing in (2, 3, 9, 99):
        look.refused(whole[:-missing])


@pytest.mark.parametrize("wrong", [1, 99, 2**31])
def test_a_webp_that_says_a_wrong_length_is_taken(look: Look, wrong: int) -> None:
    """A file whose length is wrong, while those of its parts are right, has all of its pixels."""
    whole = encoded(noisy(40, 24), "WEBP")
    length = struct.unpack_from("<I", whole, 4)[0]
    look.taken(whole[:4] + struct.pack("<I", length + wrong) + whole[8:], whole)


def test_a_gif_without_its_end_is_taken(look: Look) -> None:
    """The trailer and the block of no bytes before it hold no pixels; what stands before them does."""
    whole = encoded(noisy(40, 24).quantize(32), "GIF")
    look.taken(whole[:-1], whole)
    look.taken(whole[:-2], whole)
    for missing in (4, 5, 30, 300):
        look.refused(whole[:-missing])


def test_an_animation_that_breaks_off_after_its_first_frame_is_taken(look: Look) -> None:
    """Whatever becomes of the other frames of a GIF, the first is whole; zeros that stand for its data are not."""
    frames = [noisy(40, 24).rotate(angle).quantize(32) for angle in (0, 90)]
    whole = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    alone = encoded(frames[0], "GIF")
    look.taken(whole[:-300], whole)
    look.taken(whole[:-300] + bytes(3000), whole)
    for missing in (9, 30, 300, 600):
        look.refused(alone[:-missing] + bytes(3000))


@pytest.mark.parametrize("missing", [20, 30, 60, 200])
def test_zeros_do_not_count_as_a_pngs_pixels(look: Look, missing: int) -> None:
    """A PNG without an end is taken by the checksum over its pixels alone."""
    look.refused(RGB[:-missing] + bytes(3000))
    look.refused(PALETTE[:-missing] + bytes(3000))


@pytest.mark.parametrize("width", [41, 42, 43])
def test_a_bmp_without_its_padding_is_taken(look: Look, width: int) -> None:
    """A row's filling up to four bytes holds no pixels; what stands before it does."""
    whole, padding = encoded(noisy(width, 24), "BMP"), -3 * width % 4
    look.taken(whole[:-padding], whole)
    look.refused(whole[: -padding - 1])


def test_good_pictures_are_decoded_once(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is whole costs nothing more: its pixels are decoded once."""
    loads: list[str] = []
    load = ImageFile.ImageFile.load

    def counted(image: ImageFile.ImageFile) -> object:
        if image.tile:
            loads.append(str(image.format))
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", counted)
    whole = encoded(noisy(40, 24), "JPEG")
    look.taken(whole, whole, frozenset())
    assert loads == ["JPEG", "JPEG"]  # the test reads it twice


@pytest.mark.parametrize("damage", ["start", "end", "chunk"])
def test_the_limit_holds_for_what_is_mended(tmp_path: Path, damage: str) -> None:
    """A damaged file of too many pixels is refused before one is decoded."""
    jpeg = encoded(noisy(40, 24), "JPEG")
    text = with_chunk(RGB, chunk(b"tEXt", b"a\0b", good=False))
    (tmp_path / "a").write_bytes({"start": b"\n" + jpeg, "end": jpeg[:-2], "chunk": text}[damage])
    for look in (read, size_of):
        with pytest.raises(RowError, match="has more than 959 pixels"):
            look(tmp_path / "a", max_pixels=959)
