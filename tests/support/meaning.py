"""Whether pictures show what their rows ask for: each against what every row asks for, computed directly in pixels."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from PIL import Image
from torch import Tensor

from worker.models.demo.edits import edited
from worker.models.demo.measuring import pixels


@dataclass(frozen=True)
class Asked:
    """What a row asks for. Rows that ask for the same edit of the same file ask for the same."""

    photo: Path
    #: As worker.models.demo.edits names it.
    edit: str

    def __str__(self) -> str:
        return f"{self.photo.name} as {self.edit!r}"


def target(asked: Asked, size: tuple[int, int]) -> Tensor:
    """Return the picture that a row asks for: (3, height, width), 0 to 1, its photograph resized as the worker does."""
    with Image.open(asked.photo) as image:
        resized = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    return edited(pixels(resized), [asked.edit])[0]


def mistaken(rows: Mapping[int, tuple[Path, Asked]]) -> list[str]:
    """Return a sentence for each row whose picture is nearer to what another row asks for than to what it asks for.

    `rows`: each row's picture, and what it asks for. Pictures of one size are compared with what is asked of these.
    """
    by_size: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, (picture, _) in rows.items():
        with Image.open(picture) as image:
            by_size[image.size].append(row)
    found = {row: sentence for size, some in by_size.items() for row, sentence in _of_size(size, some, rows).items()}
    return [found[row] for row in sorted(found)]


def _of_size(size: tuple[int, int], numbers: Sequence[int], rows: Mapping[int, tuple[Path, Asked]]) -> dict[int, str]:
    choice = list(dict.fromkeys(rows[number][1] for number in numbers))
    pictures = torch.stack([_coarse(_read(rows[number][0])) for number in numbers])
    targets = torch.stack([_coarse(target(asked, size)) for asked in choice])
    # The root of the mean square error, of 255: nearest in the one is nearest in the other.
    away = torch.cdist(pictures, targets) * (255 / pictures.shape[1] ** 0.5)
    sentences = {}
    for number, errors in zip(numbers, away.tolist(), strict=True):
        picture, asked = rows[number]
        own, least = errors[choice.index(asked)], min(errors)
        if least < own:
            nearest = choice[errors.index(least)]
            sentences[number] = (
                f"row {number}: {picture} should show {asked}, and looks more like {nearest} "
                f"({own:.0f} and {least:.0f} of 255 away)"
            )
    return sentences


def _coarse(pixels: Tensor) -> Tensor:
    """Return a picture at half its size, flat."""
    # Colours and forms tell what was asked for; the finest texture is what a tiny model draws worst.
    return F.avg_pool2d(pixels, 2).flatten()


def _read(path: Path) -> Tensor:
    with Image.open(path) as image:
        return pixels(image)[0]
