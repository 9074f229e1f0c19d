"""The door to Pillow through which a TIFF goes as what it is; any other format passes it as it came."""

from typing import IO

from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError
from PIL.TiffImagePlugin import ICCPROFILE, TiffImageFile

from worker.contract.errors import RowError
from worker.pictures.tiff.choosing import Choice, choose
from worker.pictures.tiff.directories import is_reduced
from worker.pictures.tiff.layouts import check_layout, refusal_of, teach_pillow
from worker.pictures.tiff.pieces import check_pieces

teach_pillow()


def open_image(file: IO[bytes], formats: tuple[str, ...]) -> ImageFile.ImageFile:
    """Open an image as `Image.open` does; of a TIFF the picture that is meant, if it will be decoded right.

    Raises:
        RowError: it is a TIFF that would be decoded to something else than what it is.
        UnidentifiedImageError: it is none of the formats.

    """
    choice = choose(file)
    try:
        image = Image.open(file if choice is None else choice.file, formats=formats)
    except UnidentifiedImageError:
        if choice is not None and choice.picture.area:
            raise RowError(refusal_of(choice.picture)) from None
        raise
    if isinstance(image, TiffImageFile):
        try:
            check_layout(image)
            check_pieces(image, file)
        except Exception:
            image.close()
            raise
        if choice is not None:
            _inherit(image, choice)
    return image


def _inherit(image: TiffImageFile, choice: Choice) -> None:
    """Let a part have its parent's orientation and profile, where it has none of its own."""
    if choice.parent is None:
        return
    orientation = ExifTags.Base.Orientation
    if orientation not in image.tag_v2 and orientation in choice.parent.values:
        image.getexif()[orientation] = choice.parent.value(orientation)
    if "icc_profile" not in image.info and ICCPROFILE in choice.parent.values:
        image.info["icc_profile"] = bytes(choice.parent.values[ICCPROFILE])


def is_preview(image: Image.Image) -> bool:
    """Tell whether an opened picture is a preview, as it is only where its file holds nothing more."""
    return isinstance(image, TiffImageFile) and is_reduced(image.tag_v2.get)
