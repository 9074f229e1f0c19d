"""Calling a pipeline as the worker does, without a worker."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image


def edit(
    pipeline: Any, images: Sequence[Image.Image], prompts: Sequence[str], seeds: Sequence[int], *, steps: int = 8
) -> list[Image.Image]:
    """Edit rows of one size in one call."""
    width, height = images[0].size
    edited: list[Image.Image] = pipeline(
        image=list(images),
        prompt=list(prompts),
        height=height,
        width=width,
        max_area=height * width,
        _auto_resize=False,
        num_inference_steps=steps,
        guidance_scale=3.5,
        generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
    ).images
    return edited


def edited_pixels(
    pipeline: Any, images: Sequence[Image.Image], prompts: Sequence[str], seeds: Sequence[int]
) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Edit rows of one size in one call; return pixels of shape (rows, height, width, 3)."""
    return np.stack([np.asarray(image).astype(np.int16) for image in edit(pipeline, images, prompts, seeds)])
