"""Pictures that show nothing: alpha that was meant for none, and animations that fade in."""

import struct
from pathlib import Path

import pytest
from PIL import Image

from tests.support.files import encoded, farthest, photo
from worker.contract.row_warnings import RowWarning
from worker.pictures.decoding import read

PHOTO = photo(24, 16)


def clear(image: Image.Image = PHOTO) -> Image.Image:
    """Return a picture that is transparent everywhere, and has its colours still."""
    image = image.convert("RGBA")
    image.putalpha(0)
    return image


def bmp_with_alpha(image: Image.Image) -> bytes:
    """Write a 32-bit BMP whose header says that its fourth channel is alpha."""
    pixels = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes("raw", "BGRA")
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, *image.size, 1, 32, 3, len(pixels), 0, 0, 0, 0) + masks + bytes(52)
    return b"BM" + struct.pack("<IHHI", 14 + len(header) + len(pixels), 0, 0, 14 + len(header)) + header + pixels


def fading(kind: str, *frames: Image.Image, **options: object) -> bytes:
    """Encode an animation whose frames replace each other."""
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, **options)


CLEAR: dict[str, bytes] = {
    "png": encoded(clear()),
    "bmp": bmp_with_alpha(clear()),
    "webp": encoded(clear(), "WEBP", lossless=True, exact=True),
    "tiff": encoded(clear(), "TIFF"),
}


@pytest.mark.parametrize("data", CLEAR.values(), ids=CLEAR)
def test_alpha_that_is_0_everywhere_is_no_alpha(tmp_path: Path, data: bytes) -> None:
    """A picture that would be all white arrives with its colours and a warning."""
    (tmp_path / "a").write_bytes(data)
    source = read(tmp_path / "a")
    assert source.warnings == {RowWarning.IMAGE_TRANSPARENT}
    assert farthest(source.image, PHOTO) == 0


def test_alpha_of_grey_counts_as_well(tmp_path: Path) -> None:
    """Grey with alpha that is 0 everywhere arrives as grey."""
    image = PHOTO.convert("LA")
    image.putalpha(0)
    (tmp_path / "a").write_bytes(encoded(image))
    assert read(tmp_path / "a").warnings == {RowWarning.IMAGE_TRANSPARENT}
    assert farthest(read(tmp_path / "a").image, PHOTO.convert("L").convert("RGB")) == 0


def test_one_pixel_that_shows_makes_it_a_picture(tmp_path: Path) -> None:
    """Alpha that is not 0 everywhere is alpha, and nothing is said."""
    image = clear()
    image.putpixel((3, 3), (1, 2, 3, 255))
    (tmp_path / "a").write_bytes(encoded(image))
    source = read(tmp_path / "a")
    assert source.warnings == frozenset()
    assert [source.image.getpixel(at) for at in ((3, 3), (4, 3))] == [(1, 2, 3), (255, 255, 255)]


NOTHING = Image.new("RGBA", PHOTO.size)
FADING: dict[str, bytes] = {
    "gif": fading("GIF", NOTHING, NOTHING, PHOTO.convert("RGBA"), disposal=2),
    "webp": fading("WEBP", NOTHING, PHOTO.convert("RGBA"), lossless=True),
    "png": fading("PNG", NOTHING, PHOTO.convert("RGBA")),
    "png with another picture in front": fading("PNG", NOTHING, NOTHING, PHOTO.convert("RGBA"), default_image=True),
}


@pytest.mark.parametrize("data", FADING.values(), ids=FADING)
def test_an_animation_that_fades_in_is_its_first_frame_that_shows(tmp_path: Path, data: bytes) -> None:
    """Frames that are clear everywhere are passed over, with a warning."""
    (tmp_path / "a").write_bytes(data)
    source = read(tmp_path / "a")
    assert source.warnings == {RowWarning.IMAGE_FRAME}
    assert farthest(source.image, PHOTO) <= 60  # the palette of a GIF


def test_the_first_frame_that_shows_anything_is_kept(tmp_path: Path) -> None:
    """An animation whose first frame is a picture is that picture, and nothing is said."""
    (tmp_path / "a").write_bytes(fading("PNG", PHOTO.convert("RGBA"), NOTHING, clear()))
    assert read(tmp_path / "a").warnings == frozenset()
    assert farthest(read(tmp_path / "a").image, PHOTO) == 0


def test_an_animation_that_shows_nothing_is_a_clear_picture(tmp_path: Path) -> None:
    """Where no frame shows anything, the first arrives as a picture without alpha."""
    # Their colours differ: frames that are the same are written once.
    frames = [clear(), clear(PHOTO.rotate(180)), clear()]
    (tmp_path / "a").write_bytes(fading("WEBP", *frames, lossless=True, exact=True))
    assert read(tmp_path / "a").warnings == {RowWarning.IMAGE_TRANSPARENT}


def test_few_frames_are_looked_at(tmp_path: Path) -> None:
    """However long an animation is, no more than four pictures' pixels are decoded."""
    data = fading("PNG", *[clear(PHOTO.rotate(angle)) for angle in range(6)], PHOTO.convert("RGBA"))
    (tmp_path / "a").write_bytes(data)
    assert read(tmp_path / "a", max_pixels=24 * 16).warnings == {RowWarning.IMAGE_TRANSPARENT}
    assert read(tmp_path / "a").warnings == {RowWarning.IMAGE_FRAME}
