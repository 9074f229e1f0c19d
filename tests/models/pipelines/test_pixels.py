"""Pictures reach the device and come back as diffusers' own way has them."""

import numpy as np
import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image

from tests.support.jobs import job
from worker.models.pipelines.pixels import to_device, to_pictures


def test_pixels_arrive_as_diffusers_has_them(device: torch.device) -> None:
    """Normalised by diffusers, they are what it makes of the pictures themselves, but for a GPU's own division."""
    pictures = [job(number).image for number in (1, 2)]
    processor = VaeImageProcessor(vae_scale_factor=16)
    mine = processor.preprocess(to_device(pictures, device))
    torch.testing.assert_close(mine.cpu(), processor.preprocess(pictures), atol=1e-6, rtol=0)


def test_pictures_are_what_diffusers_makes(device: torch.device) -> None:
    """Each is pixel by pixel what diffusers makes of the same numbers, also of those that round or run over."""
    torch.manual_seed(1)
    decoded = 1.5 * torch.randn(3, 3, 24, 16)
    processor = VaeImageProcessor(vae_scale_factor=16)
    expected = processor.postprocess(decoded, output_type="pil")
    pictures = to_pictures(processor.postprocess(decoded.to(device), output_type="pt"))
    assert [np.array_equal(one, other) for one, other in zip(pictures, expected, strict=True)] == [True] * 3


def test_there_and_back_changes_nothing(device: torch.device) -> None:
    """All 256 values of a channel survive."""
    picture = Image.merge("RGB", [Image.linear_gradient("L").rotate(turn) for turn in (0, 90, 180)])
    (back,) = to_pictures(to_device([picture], device))
    assert np.array_equal(back, picture)


def test_no_numbers_become_black(device: torch.device) -> None:
    """A broken GPU's picture is black, which the proof of the model recognises, and no error."""
    (picture,) = to_pictures(torch.full((1, 3, 8, 8), torch.nan, device=device))
    assert picture.getextrema() == ((0, 0),) * 3
