"""Real photographs as rows to edit."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image, ImageOps

from worker.contract.buckets import Bucket
from worker.contract.errors import RowError
from worker.pictures import decoding

#: For any photograph; in turn, so that the rows of a call differ in all that they can differ in.
_INSTRUCTIONS: Final = (
    "Make it night.",
    "Turn it into a pencil drawing.",
    "Let it snow.",
    "Make the colours warmer.",
    "Put it into the light of a sunset.",
)


class Row(NamedTuple):
    """What is edited."""

    #: RGB, at the size of the resolution that it is edited at.
    picture: Image.Image
    instruction: str
    seed: int


def read_photos(folder: Path) -> list[Image.Image]:
    """Return the pictures of a folder, by name, upright and in RGB; what is no picture is left out."""
    found = []
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        try:
            found.append(decoding.read(path).image)
        except RowError:
            continue
    return found


def rows_of(photos: Sequence[Image.Image], bucket: Bucket, rows: int) -> list[Row]:
    """Make rows of photographs in turn, their middle cut to the shape; row n is the same however many there are."""
    return [
        Row(
            ImageOps.fit(photos[number % len(photos)], bucket, Image.Resampling.LANCZOS),
            _INSTRUCTIONS[number % len(_INSTRUCTIONS)],
            number,
        )
        for number in range(rows)
    ]
