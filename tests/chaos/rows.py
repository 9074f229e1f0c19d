"""Rows that the demo model can follow, small enough for two cores."""

from itertools import product
from pathlib import Path
from typing import Any

from tests.support.cli import row, write_jsonl
from tests.support.meaning import Asked
from tests.support.pictures import UNSEEN, photo
from worker.models.demo.phrases import HELD_OUT, MISUNDERSTOOD

#: Two of the demo model's own resolutions, so that most batches are full.
SHAPES = ((304, 208), (208, 304))
#: Photographs of many colours, which tell apart what is asked for better than dull ones.
PHOTOS = ("astronaut", "coffee", "hopper", "rocket", "cat")
#: Without those that a photograph may look like anyway, or like each other on it ("keep" and "blur" of a smooth one,
#: "warmer", which is near "sepia" or "vivid" of some).
EDITS = (
    "red", "mirror", "darker", "green", "invert", "sepia", "brighter", "outline", "blue", "vivid", "grey",
)  # fmt: skip
#: Rows until one asks for what another did. Each list is gone through at a pace of its own; since no two of their
#: lengths have a common factor, every combination comes before any comes again.
COMBINATIONS = len(SHAPES) * len(PHOTOS) * len(EDITS)


def write_rows(folder: Path, count: int) -> Path:
    """Write photographs, and an input of so many rows; rows near each other share neither photograph nor edit."""
    folder.mkdir(exist_ok=True)
    for name, shape in product(PHOTOS, SHAPES):
        photo(name, *shape, _file(folder, name, shape), photos=UNSEEN)
    return write_jsonl(folder / "input.jsonl", [_row(folder, number) for number in range(count)])


def asked(folder: Path, number: int) -> Asked:
    """Return what a row of `write_rows` asks for."""
    name, shape = PHOTOS[number % len(PHOTOS)], SHAPES[number % len(SHAPES)]
    return Asked(_file(folder, name, shape), EDITS[number % len(EDITS)])


def neighbour(number: int, count: int) -> int:
    """Return another row whose picture has the same shape, and shows another edit of another photograph."""
    other = number + len(SHAPES)
    return other if other < count else number - len(SHAPES)


def _row(folder: Path, number: int) -> dict[str, Any]:
    width, height = SHAPES[number % len(SHAPES)]
    return row(asked(folder, number).photo.name, _instruction(number), edit={"size": f"{width}x{height}"})


def _file(folder: Path, name: str, shape: tuple[int, int]) -> Path:
    return folder / f"{name}-{shape[0]}x{shape[1]}.png"


def _instruction(number: int) -> str:
    """Say the edit in other words each time that all combinations have come."""
    phrasings = HELD_OUT[EDITS[number % len(EDITS)]]
    phrase = phrasings[number // COMBINATIONS % len(phrasings)]
    return MISUNDERSTOOD.get(phrase, phrase)
