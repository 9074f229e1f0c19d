"""Random weights must notice a wrong photograph, instruction or seed, and not notice a row's neighbours."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from tests.support.pipelines import edited_pixels
from worker.models.kontext.architecture import TINY
from worker.models.kontext.random_weights import random_pipeline

INSTRUCTIONS = (
    "Make it red.",
    "Make it blue.",
    "Remove the background and put the subject on a sunny beach with palm trees.",
    "把天空变成夕阳 🌇",
)


@pytest.fixture(scope="module")
def pipeline() -> Any:
    """Build the tiny model once for the file."""
    return random_pipeline(TINY, device=torch.device("cpu"), dtype=torch.float32)


def photograph(number: int, width: int = 256, height: int = 256) -> Image.Image:
    """Draw coloured 1/f noise, the spectrum of photographs, with two hard-edged shapes in front."""
    draw = np.random.default_rng(number)
    rows, columns = np.fft.fftfreq(height)[:, None, None], np.fft.rfftfreq(width)[None, :, None]
    spectrum = np.fft.rfft2(draw.standard_normal((height, width, 3)), axes=(0, 1))
    noise = np.fft.irfft2(spectrum / np.hypot(np.hypot(rows, columns), 1 / 256), (height, width), axes=(0, 1))
    noise = (noise - noise.mean((0, 1))) / noise.std((0, 1))
    tint = draw.uniform(80, 176, 3)
    image = Image.fromarray(np.clip(tint + 45 * noise, 0, 255).astype(np.uint8))
    for shape in (ImageDraw.Draw(image).ellipse, ImageDraw.Draw(image).rectangle):
        left, top = draw.uniform(0, 0.5, 2) * (width, height)
        colour = tuple(int(channel) for channel in draw.integers(0, 256, 3))
        shape((left, top, left + 0.4 * width, top + 0.4 * height), fill=colour)
    return image


def mean_change(pipeline: Any, one: tuple[Image.Image, str, int], other: tuple[Image.Image, str, int]) -> float:
    """Edit two rows alone; return their pictures' mean difference in levels of 255."""
    first, second = (edited_pixels(pipeline, [image], [prompt], [seed]) for image, prompt, seed in (one, other))
    return float(np.abs(first - second).mean())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (photograph(1), photograph(2)),
        pytest.param(photograph(3), photograph(4), marks=pytest.mark.thorough),
        (photograph(5), photograph(5).transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
        (Image.new("RGB", (256, 256), "red"), Image.new("RGB", (256, 256), "white")),
    ],
    ids=["1-2", "3-4", "mirrored", "even colours"],
)
def test_another_photograph_shows(pipeline: Any, one: Image.Image, other: Image.Image) -> None:
    """Swapping the photograph alone changes the picture by a mean of at least 8 of 255."""
    assert mean_change(pipeline, (one, INSTRUCTIONS[0], 1), (other, INSTRUCTIONS[0], 1)) >= 8


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Make it red.", "Make it blue."),
        pytest.param("Add a hat.", "Add a cat.", marks=pytest.mark.thorough),
        pytest.param(
            "Put the subject on a sunny beach with trees",
            "Put the subject on a snowy beach with trees",
            marks=pytest.mark.thorough,
        ),
        (
            # They differ beyond the 75 bytes that CLIP reads.
            "Turn this into an oil painting in the style of the old masters, lit by candles, and make it red",
            "Turn this into an oil painting in the style of the old masters, lit by candles, and make it blue",
        ),
    ],
)
def test_another_instruction_shows(pipeline: Any, one: str, other: str) -> None:
    """Swapping the instruction alone changes the picture by a mean of at least 8 of 255."""
    assert mean_change(pipeline, (photograph(1), one, 1), (photograph(1), other, 1)) >= 8


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 2**32)])
def test_another_seed_shows(pipeline: Any, one: int, other: int) -> None:
    """Swapping the seed alone changes the picture by a mean of at least 8 of 255."""
    row = (photograph(2), INSTRUCTIONS[1])
    assert mean_change(pipeline, (*row, one), (*row, other)) >= 8


def test_most_channels_are_not_clipped(pipeline: Any) -> None:
    """Less than 30 % of the channels are at 0 or 255, where a change could not show."""
    picture = edited_pixels(pipeline, [photograph(1)], [INSTRUCTIONS[0]], [1])
    assert np.isin(picture, (0, 255)).mean() < 0.3


@pytest.mark.parametrize(
    "size",
    [(208, 304), *(pytest.param(size, marks=pytest.mark.thorough) for size in [(256, 256), (384, 160)])],
    ids=str,
)
def test_a_row_does_not_depend_on_its_neighbours(pipeline: Any, size: tuple[int, int]) -> None:
    """A row of a batch of four differs from the row alone by at most 1 of 255, whatever the thread count."""
    images = [photograph(1, *size), photograph(2, *size), Image.new("RGB", size, "red"), photograph(3, *size)]
    torch.set_num_threads(2)
    together = edited_pixels(pipeline, images, INSTRUCTIONS, range(4))
    torch.set_num_threads(1)
    alone = [edited_pixels(pipeline, [images[row]], [INSTRUCTIONS[row]], [row]) for row in range(4)]
    assert np.abs(together - np.concatenate(alone)).max() <= 1
