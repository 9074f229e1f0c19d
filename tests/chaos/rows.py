"""Rows of which no two are alike, small enough for two cores."""

from pathlib import Path

from tests.support.cli import row, write_jsonl
from tests.support.pictures import photo

#: Two of the demo model's own resolutions, so that most batches are full, and photographs that go with either.
_SHAPES = [(304, 208), (208, 304)]
_PHOTOS = ["coffee", "camera", "chelsea", "astronaut", "hubble"]


def write_rows(folder: Path, count: int) -> Path:
    """Write photographs, and an input of so many rows; each has an instruction and a seed of its own."""
    names = []
    for number in range(len(_SHAPES) * len(_PHOTOS)):
        shape = _SHAPES[number % len(_SHAPES)]
        names.append(photo(_PHOTOS[number % len(_PHOTOS)], *shape, folder / f"{number}.png").name)
    rows = [row(names[number % len(names)], f"Paint the number {number} on it.") for number in range(count)]
    return write_jsonl(folder / "input.jsonl", rows)


def neighbour(number: int, count: int) -> int:
    """Return another row whose picture has the same shape."""
    other = number + len(_SHAPES)
    return other if other < count else number % len(_SHAPES)
