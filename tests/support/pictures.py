"""Photographs for the tests: the examples' own, cropped to any shape."""

from pathlib import Path

from PIL import Image, ImageOps

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"


def photo(name: str, width: int, height: int, path: Path) -> Path:
    """Save a crop of an example photograph with exactly this shape."""
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        ImageOps.fit(image.convert("RGB"), (width, height)).save(path)
    return path
