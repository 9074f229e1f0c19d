"""Pictures on their way to a device and back, as bytes: a quarter of what numbers would take."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def to_device(pictures: Sequence[Image.Image], device: torch.device) -> Tensor:
    """Return RGB pictures of one size as (pictures, 3, height, width), from 0 to 1 in fp32, on the device."""
    pixels = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures]))
    return pixels.to(device).permute(0, 3, 1, 2).float() / 255


def to_pictures(images: Tensor) -> list[Image.Image]:
    """Return (images, 3, height, width), from 0 to 1, as RGB pictures; one copy brings all of them from the device.

    What is no number becomes black.
    """
    pixels = (images.float().nan_to_num() * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
    return [Image.fromarray(picture) for picture in pixels.cpu().numpy()]
