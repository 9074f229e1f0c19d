"""Photographs for the tests, cropped to any shape."""

from pathlib import Path

from PIL import Image, ImageOps

from tests.support.place import PROJECT

#: The examples' own.
PHOTOS = PROJECT / "examples/photos"
#: Colour photographs of which the demo model's training saw none.
UNSEEN = PROJECT / "tests/photos"


def photo(name: str, width: int, height: int, path: Path, *, photos: Path = PHOTOS) -> Path:
    """Save a crop of a photograph with exactly this shape."""
    with Image.open(photos / f"{name}.jpg") as image:
        ImageOps.fit(image.convert("RGB"), (width, height)).save(path)
    return path
