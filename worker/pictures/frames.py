"""Animations whose first frame shows nothing: the first that shows something stands for them."""

from typing import Final

from PIL import Image, ImageFile

#: Kinds of file whose frames follow each other in time; pages of a TIFF are pictures of their own.
_ANIMATED: Final = frozenset({"AVIF", "GIF", "PNG", "WEBP"})

#: Most frames that are looked at.
_MOST_FRAMES: Final = 100

#: Most pixels in all of them, as a multiple of one picture's limit.
_MOST_PICTURES: Final = 4


def to_first_that_shows(image: ImageFile.ImageFile, max_pixels: int) -> bool:
    """Go to the first frame that is not clear everywhere, if the first of all is; tell whether there was one."""
    # To know it of a GIF is to look for its second frame, so that is asked last.
    if image.format not in _ANIMATED or (image.format != "GIF" and not _is_animated(image)):
        return False
    if not _is_clear(image) or not _is_animated(image):
        return False
    frames = min(_MOST_FRAMES, _MOST_PICTURES * max_pixels // (image.width * image.height))
    for number in range(1, min(frames, getattr(image, "n_frames", 1))):
        image.seek(number)
        image.load()
        if not _is_clear(image):
            return True
    image.seek(0)
    image.load()
    return False


def _is_animated(image: ImageFile.ImageFile) -> bool:
    return bool(getattr(image, "is_animated", False))


def _is_clear(image: Image.Image) -> bool:
    """Tell whether a decoded picture is transparent everywhere."""
    if not image.has_transparency_data:
        return False
    return image.convert("RGBA").getchannel("A").getextrema() == (0, 0)
