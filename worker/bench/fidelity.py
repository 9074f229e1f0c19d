"""How far the pictures of one profile are from those of another, on the same photographs and seeds."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PIL import Image


def _scikit_image() -> Any:
    try:
        return importlib.import_module("skimage.metrics").structural_similarity
    except ModuleNotFoundError:  # only the extra `bench` installs it
        return None


_structural_similarity: Final = _scikit_image()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fidelity:
    """A profile's pictures beside another's. A number for each photograph."""

    label: str
    against: str
    #: Decibels; infinite where two pictures are the same.
    psnr: tuple[float, ...]
    #: 1 where two pictures are the same; None without scikit-image.
    ssim: tuple[float, ...] | None


def compare(label: str, pictures: Sequence[Image.Image], against: str, others: Sequence[Image.Image]) -> Fidelity:
    """Compare RGB pictures in pairs, as far as both sequences go."""
    pairs = list(zip(pictures, others, strict=False))  # of a slow profile there may be fewer
    return Fidelity(
        label=label,
        against=against,
        psnr=tuple(psnr(one, other) for one, other in pairs),
        ssim=None if _structural_similarity is None else tuple(ssim(one, other) for one, other in pairs),
    )


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Return the peak signal-to-noise ratio of two RGB pictures of one size: 10 log10(255² / mean square), in dB."""
    error = float(np.mean((np.asarray(one, np.float64) - np.asarray(other, np.float64)) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Return the structural similarity of two RGB pictures of one size, as scikit-image has it by default.

    Raises:
        TypeError: scikit-image is not installed.

    """
    return float(_structural_similarity(np.asarray(one), np.asarray(other), channel_axis=2, data_range=255))
