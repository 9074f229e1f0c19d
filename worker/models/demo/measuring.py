"""How well the demo model follows instructions: its pictures against the same edits made directly in pixels."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from worker.models.demo.edits import EDITS, edited


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One photograph, edited as one instruction says."""

    photo: str
    #: The edit that was meant.
    name: str
    instruction: str
    picture: Image.Image
    #: Against the edit made in pixels, in dB.
    psnr: float
    #: The edit whose result in pixels is nearest to the picture.
    nearest: str
    #: That the call took.
    seconds: float


def measure(
    pipeline: Any, photos: Mapping[str, Image.Image], instructions: Mapping[str, str], *, steps: int = 8, seed: int = 0
) -> list[Measured]:
    """Edit every photograph by every instruction, which are by the edit's name; sides are multiples of 16 pixels."""
    return [
        _measured(pipeline, photo, image, name, instruction, steps=steps, seed=seed)
        for photo, image in photos.items()
        for name, instruction in instructions.items()
    ]


def _measured(
    pipeline: Any, photo: str, image: Image.Image, name: str, instruction: str, *, steps: int, seed: int
) -> Measured:
    begun = time.perf_counter()
    (picture,) = pipeline(
        image=image,
        prompt=instruction,
        width=image.width,
        height=image.height,
        max_area=image.width * image.height,
        _auto_resize=False,
        num_inference_steps=steps,
        guidance_scale=3.5,
        generator=torch.Generator("cpu").manual_seed(seed),
    ).images
    seconds = time.perf_counter() - begun
    ours, source = pixels(picture), pixels(image)
    errors = {edit: (edited(source, [edit]) - ours).square().mean().item() for edit in EDITS}
    return Measured(
        photo=photo,
        name=name,
        instruction=instruction,
        picture=picture,
        psnr=float(-10 * np.log10(errors[name])),
        nearest=min(errors, key=errors.__getitem__),
        seconds=seconds,
    )


def pixels(image: Image.Image) -> Tensor:
    """Return a picture as (1, 3, height, width), 0 to 1."""
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None].float() / 255


def table(found: Sequence[Measured]) -> str:
    """Return a table in Markdown, one line per edit: its PSNR, and how often the edit that was meant was nearest."""
    lines = [
        "| edit | PSNR in dB (median) | (least) | (most) | right edit nearest |",
        "|---|---|---|---|---|",
        *(_line(name, [one for one in found if one.name == name]) for name in EDITS),
    ]
    return "\n".join([*lines, f"| all | | | | {_right(found)} |"])


def _line(name: str, found: Sequence[Measured]) -> str:
    values = [one.psnr for one in found]
    return f"| {name} | {median(values):.1f} | {min(values):.1f} | {max(values):.1f} | {_right(found)} |"


def _right(found: Iterable[Measured]) -> str:
    all_of_them = list(found)
    return f"{sum(one.nearest == one.name for one in all_of_them)} of {len(all_of_them)}"
