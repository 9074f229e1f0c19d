"""Pixels of any mode become RGB in sRGB, composited on white."""

import struct
from collections.abc import Callable
from io import BytesIO
from typing import cast

from PIL import Image, ImageChops, ImageCms, ImageFile
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION

from worker.contract.errors import RowError
from worker.contract.row_warnings import RowWarning

#: White in 16 bits, 257 times that in 8 bits.
_WHITE = 2**16 - 1

#: Pillow spreads grey of 2 and 4 bits over 0 to 255, but not the shade that tRNS says is transparent.
_STEPS = {"L;2": 85, "L;4": 17}


def packing_of(image: ImageFile.ImageFile) -> str:
    """Return how the pixels lie in the file, in Pillow's words, such as "RGB;16B"; before they are decoded."""
    args = image.tile[0].args if image.tile else ""
    return args if isinstance(args, str) else str(args and args[0])


def to_srgb_on_white(image: Image.Image, packing: str, data: bytes, warn: Callable[[RowWarning], None]) -> Image.Image:
    """Return a decoded picture as RGB: its ICC profile applied, its alpha composited on white.

    `packing` is that of `packing_of`, `data` the bytes of its file. Alpha that is 0 everywhere is no alpha: some
    programs leave it so where they mean none.

    Raises:
        RowError: its values have no stated range.

    """
    picture, alpha = _layers(image, packing, data)
    profile = _profile(image.info.get("icc_profile"))
    if profile is None and "icc_profile" in image.info:  # also where Pillow could not unpack it
        warn(RowWarning.IMAGE_DAMAGED)
    rgb = _to_srgb(picture, profile)
    if alpha is not None and alpha.getextrema() == (0, 0):
        warn(RowWarning.IMAGE_TRANSPARENT)
    elif alpha is not None:
        rgb = Image.composite(rgb, Image.new("RGB", rgb.size, "white"), alpha)
    rgb.info.clear()  # the file's profile and transparency are no longer true
    return rgb


def _layers(image: Image.Image, packing: str, data: bytes) -> tuple[Image.Image, Image.Image | None]:
    """Return the picture as L, I (of 16 bits), RGB, CMYK or LAB, and its alpha, if there is any, as L."""
    key = image.info.get("transparency")
    low, high = cast("tuple[int, int]", image.getextrema()) if image.mode == "I" else (0, 0)
    if image.mode == "F" or low < 0 or high > _WHITE:
        raise RowError("has no stated range of values (convert it to 8 or 16 bits)")
    if image.mode.startswith("I"):
        shades = _spread(image, packing)
        return shades, None if key is None else shades.point([255 * (shade != key) for shade in range(65536)], "L")
    if packing == "RGB;16B" and key:
        return image, _alpha_of_16_bits(image, data)
    if packing in _STEPS and key is not None:
        image.info["transparency"] = key * _STEPS[packing]
    colour = "L" if image.mode in {"1", "L", "LA", "La"} or packing == "LA;16B" else "RGB"
    if image.has_transparency_data:
        image = image.convert(colour + "A")
        return image.convert(colour), image.getchannel("A")
    return image if image.mode in {"CMYK", "LAB"} else image.convert(colour), None


def _spread(image: Image.Image, packing: str) -> Image.Image:
    """Return grey of up to 16 bits as I, from 0 for black to 65535: Pillow takes some TIFFs' values as they are."""
    shades = image.convert("I")
    if packing == "I;12":
        shades = shades.point(lambda value: value * (_WHITE / 4095))
    if getattr(image, "tag_v2", {}).get(PHOTOMETRIC_INTERPRETATION) == 0:  # white is zero
        shades = shades.point(lambda value: value * -1 + _WHITE)
    return shades


def _alpha_of_16_bits(upper: Image.Image, data: bytes) -> Image.Image:
    """Return the alpha of a 16-bit RGB picture that has one transparent colour.

    Pillow keeps the upper halves of its values. By these alone, transparent black would make all that is near it white.
    """
    key = upper.info["transparency"]
    with Image.open(BytesIO(data), formats=["PNG"]) as lower:
        lower.tile = [lower.tile[0]._replace(args="RGB;16L")]  # the two bytes of each value swapped
        lower.load()
    upper.info["transparency"], lower.info["transparency"] = zip(*(divmod(value, 256) for value in key), strict=True)
    return ImageChops.lighter(*(half.convert("RGBA").getchannel("A") for half in (upper, lower)))


def _to_srgb(picture: Image.Image, profile: ImageCms.ImageCmsProfile | None) -> Image.Image:
    if picture.mode in {"L", "I"}:
        shades = _shades(profile)
        grey = picture.point(shades, "L") if picture.mode == "I" else picture.point(shades[::257])
        return grey.convert("RGB")
    transform = _transform(profile, picture.mode)
    return picture.convert("RGB") if transform is None else transform.apply(picture)


def _shades(profile: ImageCms.ImageCmsProfile | None) -> list[int]:
    """Return what each shade of 16-bit grey, of which every 257th is one of 8-bit grey, is in sRGB of 8 bits."""
    transform = _transform(profile, "I;16")
    if transform is None:
        return [(shade + 128) // 257 for shade in range(65536)]
    ramp = Image.frombytes("I;16", (256, 256), struct.pack("<65536H", *range(65536)))
    return list(transform.apply(ramp).getchannel("G").tobytes())


def _profile(data: bytes | None) -> ImageCms.ImageCmsProfile | None:
    """Return a file's profile; None if it has none, or one that is malformed."""
    try:
        return ImageCms.ImageCmsProfile(BytesIO(data)) if data else None
    except (OSError, TypeError, ValueError):
        return None


def _transform(profile: ImageCms.ImageCmsProfile | None, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return what brings pictures of this mode to sRGB, or None if there is no profile for them that can be used."""
    # Optimised, grey goes through a table that is too coarse where it is dark: up to 10 of 255 off for linear light.
    flags = ImageCms.Flags.NOOPTIMIZE if mode == "I;16" else ImageCms.Flags.NONE
    if profile is None:
        return None
    try:
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        return ImageCms.ImageCmsTransform(profile, srgb, mode, "RGB", flags=flags)
    except (OSError, TypeError, ValueError):
        return None  # malformed, or of another colour space than the picture: ignored, as in browsers
