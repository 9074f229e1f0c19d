"""Qwen-Image-Edit of the libraries' own classes with random weights, for measuring time and for tests of arithmetic."""

from typing import Any

import torch

from worker.models.pipelines.building import GAINS, draw_weights, seeded
from worker.models.qwen.architecture import FULL, TINY, Architecture, build

SEED = 6


def random_pipeline(architecture: Architecture, *, device: torch.device, dtype: torch.dtype) -> Any:
    """Build a pipeline on a device with weights such that photograph, instruction and seed all show."""
    pipeline = build(architecture, device=device, dtype=dtype)
    generator = seeded(device, SEED)
    for name, gains in GAINS.items():
        draw_weights(getattr(pipeline, name), gains, generator)
    return pipeline


def full_pipeline(*, device: torch.device, dtype: torch.dtype) -> Any:
    """Build it at its real size."""
    return random_pipeline(FULL, device=device, dtype=dtype)


def tiny_pipeline(*, distilled: bool | None) -> Any:
    """Build the smallest one that works, on the CPU; `worker.models.registry` saves it, and loads it as any other."""
    del distilled  # there is one kind
    return random_pipeline(TINY, device=torch.device("cpu"), dtype=torch.float32)
