"""How the pixels of a TIFF lie: what Pillow would read wrongly is put right before it is decoded, or is refused."""

from PIL import ImagePalette
from PIL import TiffImagePlugin as Tiff
from PIL.TiffImagePlugin import II, MM, TiffImageFile

from worker.contract.errors import RowError
from worker.pictures.tiff.directories import Directory

_SIGNED, _FLOATING = 2, 3
_INK_SET, _NO_CMYK = 332, 2
_SEPARATED, _PLANES = 5, 2

#: In bits, the narrowest signed numbers that are read, where they are in the range of 16 bits without a sign.
_WIDE = 32

_PIXELS = {
    0: "grey, white is zero", 1: "grey", 2: "RGB", 3: "palette", 4: "mask", 5: "CMYK", 6: "YCbCr", 8: "CIELab",
    9: "ICCLab", 10: "ITULab", 32844: "LogL", 32845: "LogLuv",
}  # fmt: skip
_FORMS = {1: "", _SIGNED: " signed", _FLOATING: " floating-point", 4: " undefined", 5: " complex", 6: " complex"}

NO_RANGE = "has no stated range of values (convert it to 8 or 16 bits)"


def teach_pillow() -> None:
    """Let Pillow read all TIFFs by libtiff, and some more of them.

    What is not compressed it reads by itself: planes of 16 bits as three small pictures, a missing strip as black.
    """
    Tiff.READ_LIBTIFF = True
    Tiff.OPEN_INFO |= {
        (MM, 0, (1,), 1, (16,), ()): ("I;16B", "I;16B"),
        (MM, 1, (1,), 1, (12,), ()): ("I;16", "I;12"),
        (MM, 1, (1,), 1, (32,), ()): ("I", "I;32N"),  # libtiff has put numbers into the machine's own order
        (MM, 1, (_SIGNED,), 1, (32,), ()): ("I", "I;32NS"),
        (II, 1, (_SIGNED,), 1, (32,), ()): ("I", "I;32NS"),
    }


def check_layout(image: TiffImageFile) -> None:
    """Put right what Pillow misunderstood of an opened TIFF that is not decoded yet.

    Raises:
        RowError: it would be decoded to something else than what it is.

    """
    tags = image.tag_v2
    bits = tags.get(Tiff.BITSPERSAMPLE, (1,))
    if _SIGNED in tags.get(Tiff.SAMPLEFORMAT, ()) and max(bits) < _WIDE:
        raise RowError(NO_RANGE)
    if tags.get(Tiff.PHOTOMETRIC_INTERPRETATION) == _SEPARATED and tags.get(_INK_SET) == _NO_CMYK:
        raise RowError("is a TIFF of inks other than CMYK (convert it to RGB)")
    if tags.get(Tiff.PLANAR_CONFIGURATION) == _PLANES:
        _check_planes(image)
    colours = tags.get(Tiff.COLORMAP)
    if image.mode in {"P", "PA"} and colours and max(colours) < 256:  # noqa: PLR2004 - of 8 bits, where 16 are due
        image.palette = ImagePalette.raw("RGB;L", bytes(colours))


def _check_planes(image: TiffImageFile) -> None:
    """Refuse planes that Pillow would put into others' places: it knows where alpha is in RGBA alone."""
    extra = image.tag_v2.get(Tiff.EXTRASAMPLES, ())
    if any(extra) and (image.mode != "RGBA" or len(extra) > 1):
        raise RowError("is a TIFF of separate planes with alpha, which is read of RGBA only (convert it to RGBA)")


def refusal_of(picture: Directory) -> str:
    """Return why a TIFF is refused that Pillow cannot open, though it has a size."""
    form = picture.value(Tiff.SAMPLEFORMAT, 1)
    if form in {_SIGNED, _FLOATING}:
        return NO_RANGE
    bits = picture.values.get(Tiff.BITSPERSAMPLE, (1,))
    samples = picture.value(Tiff.SAMPLESPERPIXEL, 1)
    pixels = picture.value(Tiff.PHOTOMETRIC_INTERPRETATION)
    compression = picture.value(Tiff.COMPRESSION, 1)
    return (
        f"is a TIFF of a kind that is not read ({samples} × {max(bits)} bits{_FORMS.get(form, '')}, "
        f"{_PIXELS.get(pixels, f'photometric {pixels}')}, "
        f"compression {Tiff.COMPRESSION_INFO.get(compression, compression)}; convert it to grey or RGB of 8 or 16 bits)"
    )
