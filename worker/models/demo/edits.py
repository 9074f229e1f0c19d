"""What the demo model learned to do, computed directly in pixels: the targets of its training and of its tests."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

#: Takes and returns pictures of shape (pictures, 3, height, width), 0 to 1.
Edit = Callable[[Tensor], Tensor]

#: How red, green and blue weigh in brightness (ITU-R BT.601).
_LUMA: Final = (0.299, 0.587, 0.114)


def brightness(pictures: Tensor) -> Tensor:
    """Return the brightness of pictures: (pictures, 1, height, width), 0 to 1."""
    return (pictures * pictures.new_tensor(_LUMA)[:, None, None]).sum(1, keepdim=True)


def edited(pictures: Tensor, names: Sequence[str]) -> Tensor:
    """Apply edits one after the other."""
    for name in names:
        pictures = EDITS[name](pictures).clamp(0, 1)
    return pictures


def _tinted(dark: Sequence[float], light: Sequence[float]) -> Edit:
    """Paint brightness in one hue, from a dark colour to a light one."""

    def edit(pictures: Tensor) -> Tensor:
        low, high = (pictures.new_tensor(colour)[:, None, None] for colour in (dark, light))
        return low + (high - low) * brightness(pictures)

    return edit


def _curve(exponent: float) -> Edit:
    return lambda pictures: pictures**exponent


def _warmed(by: float) -> Edit:
    return lambda pictures: pictures + pictures.new_tensor((by, 0.1 * by, -by))[:, None, None]


def _vivid(pictures: Tensor) -> Tensor:
    grey = brightness(pictures)
    return grey + 2.2 * (pictures - grey)


def _mirrored(pictures: Tensor) -> Tensor:
    return pictures.flip(-1)


def _blurred(pictures: Tensor, deviation: float) -> Tensor:
    """Blur as a lens would, the same at every size: by so many pixels of standard deviation."""
    reach = round(3 * deviation)
    at = torch.arange(-reach, reach + 1, device=pictures.device, dtype=pictures.dtype)
    kernel = torch.exp(-0.5 * (at / deviation) ** 2)
    kernel = (kernel / kernel.sum()).expand(pictures.shape[1], 1, 1, -1)
    padded = F.pad(pictures, (reach, reach, reach, reach), mode="replicate")
    across = F.conv2d(padded, kernel, groups=pictures.shape[1])
    return F.conv2d(across, kernel.transpose(2, 3), groups=pictures.shape[1])


def _outlined(pictures: Tensor) -> Tensor:
    """Draw dark lines on white paper where the brightness changes (a Sobel filter).

    Lines of a pencil, not of a pen: of thinner ones the autoencoder rebuilds too little.
    """
    grey = F.pad(_blurred(brightness(pictures), 1.5), (1, 1, 1, 1), mode="replicate")
    across = pictures.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    slopes = F.conv2d(grey, torch.stack([across, across.T])[:, None])
    drawn: Tensor = 1 - 1.8 * slopes.norm(dim=1, keepdim=True)
    return drawn.expand_as(pictures)


#: By name. "keep" leaves a picture as it is.
EDITS: Final[Mapping[str, Edit]] = {
    "keep": lambda pictures: pictures,
    "red": _tinted((0.25, 0.0, 0.0), (1.0, 0.55, 0.5)),
    "green": _tinted((0.0, 0.2, 0.0), (0.5, 1.0, 0.5)),
    "blue": _tinted((0.0, 0.0, 0.3), (0.5, 0.6, 1.0)),
    "grey": _tinted((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "sepia": _tinted((0.12, 0.06, 0.0), (1.0, 0.9, 0.68)),
    "invert": lambda pictures: 1 - pictures,
    "brighter": _curve(0.5),
    "darker": _curve(2.0),
    "vivid": _vivid,
    "warmer": _warmed(0.16),
    "cooler": _warmed(-0.16),
    "mirror": _mirrored,
    "blur": lambda pictures: _blurred(pictures, 3.0),
    "outline": _outlined,
}
