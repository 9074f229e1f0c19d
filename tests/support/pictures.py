"""Photographs for the tests, cropped to any shape."""

from pathlib import Path

from PIL import Image, ImageOps

#: The examples' own.
PHOTOS = Path(__file__).parents[2] / "examples" / "photos"
#: Colour photographs of which the demo model's training saw none.
UNSEEN = Path(__file__).parents[1] / "photos"


def photo(name: str, width: int, height: int, path: Path, *, photos: Path = PHOTOS) -> Path:
    """Save a crop of a photograph with exactly this shape."""
    with Image.open(photos / f"{name}.jpg") as image:
        ImageOps.fit(image.convert("RGB"), (width, height)).save(path)
    return path
