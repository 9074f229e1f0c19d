"""Photographs with a coloured disc on them, and how a picture shows them: the disc to a fraction of a pixel.

The photograph is grey, and so is whatever a linear filter makes of it: how far a pixel is from grey is exactly the part
of it that the disc covers, on the disc's blurred edge, too. So the disc's moments are those of its shape alone, while
the photograph around it is a real one.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from tests.support.pictures import PHOTOS

#: Far enough from 0 and 255 that a filter's overshoot at the disc's edge (9 % of the step) is not clipped.
_DISC, _DARKEST, _BRIGHTEST = (230, 25, 230), 60, 195

#: Diameter, of the shorter side; and the centre, of width and height: not in the middle, where a mirror would hide.
_DIAMETER, _ACROSS, _DOWN = 0.7, 0.4, 0.55

#: Subpixels a side that a pixel on the disc's edge is made of.
_FINE = 8


class Disc(NamedTuple):
    """A disc that a picture shows."""

    #: Its centre, in parts of the picture's width and height.
    across: float
    down: float
    #: Its extent from left to right and from top to bottom, in pixels.
    width: float
    height: float
    #: How much of the picture it covers.
    area: float
    #: Its longest diameter over its shortest, in whatever direction they lie: 1 for a circle.
    elongation: float


def paint(name: str, width: int, height: int, path: Path) -> Path:
    """Save a grey crop of an example photograph with exactly this shape and a disc on it."""
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        grey = ImageOps.fit(image.convert("L"), (width, height))
    grey = grey.point([_DARKEST + value * (_BRIGHTEST - _DARKEST) // 255 for value in range(256)])
    picture = grey.convert("RGB")
    diameter = round(_DIAMETER * min(width, height))
    mask = Image.new("L", (_FINE * diameter, _FINE * diameter))
    ImageDraw.Draw(mask).ellipse((0, 0, _FINE * diameter - 1, _FINE * diameter - 1), fill=255)
    corner = round(_ACROSS * width - diameter / 2), round(_DOWN * height - diameter / 2)
    picture.paste(_DISC, corner, mask.reduce(_FINE))
    picture.save(path)
    return path


def measure(picture: Image.Image) -> Disc:
    """Find the disc in a picture, by the first and second moments of what is not grey."""
    assert picture.mode == "RGB"
    red, green, blue = np.moveaxis(np.asarray(picture, dtype=np.float64), 2, 0)
    covered = (red + blue) / 2 - green
    area = covered.mean() / ((_DISC[0] + _DISC[2]) / 2 - _DISC[1])
    assert area > 0, "there is no disc"
    covered /= covered.sum()
    x, y = np.arange(picture.width) + 0.5, np.arange(picture.height) + 0.5
    by_column, by_row = covered.sum(axis=0), covered.sum(axis=1)
    across, down = by_column @ x, by_row @ y
    variance_x, variance_y = by_column @ (x - across) ** 2, by_row @ (y - down) ** 2
    shortest, longest = np.linalg.eigvalsh(
        [[variance_x, slant := (y - down) @ covered @ (x - across)], [slant, variance_y]]
    )
    # The variance of a disc along any diameter is a 16th of the diameter's square.
    return Disc(
        across=across / picture.width,
        down=down / picture.height,
        width=4 * variance_x**0.5,
        height=4 * variance_y**0.5,
        area=area,
        elongation=(longest / shortest) ** 0.5,
    )


def part(picture: Image.Image, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return where a picture of this shape lies that was padded to that one: in the middle, as large as it can be."""
    scale = min(picture.width / shape[0], picture.height / shape[1])
    width, height = (max(1, round(side * scale)) for side in shape)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return left, top, left + width, top + height


def assert_padded_by_reflection(after: Image.Image, shape: tuple[int, int]) -> None:
    """Make sure that all around a picture of this shape is its mirror image, to the last bit."""
    left, top, right, bottom = part(after, shape)
    pixels = np.asarray(after)
    around = (top, after.height - bottom), (left, after.width - right), (0, 0)
    assert (pixels == np.pad(pixels[top:bottom, left:right], around, mode="symmetric")).all()


def assert_in_place(after: Image.Image, before: Image.Image) -> Disc:
    """Make sure that a disc's centre is where it was, within half a pixel; return the disc."""
    found, drawn = measure(after), measure(before)
    assert abs(found.across - drawn.across) * after.width <= 0.5
    assert abs(found.down - drawn.down) * after.height <= 0.5
    return found
