"""FLUX.2 [klein] of diffusers' own classes with random weights, for measuring time and for tests of arithmetic."""

from typing import Any

import torch
from diffusers import Flux2KleinPipeline

from worker.models.klein.architecture import FULL_4B, TINY, Architecture, build
from worker.models.pipelines.building import GAINS, draw_weights, seeded

SEED = 6


def random_pipeline(
    architecture: Architecture,
    *,
    device: torch.device,
    dtype: torch.dtype,
    distilled: bool = True,
    kind: type = Flux2KleinPipeline,
) -> Any:
    """Build a pipeline on a device with weights such that photograph, instruction and seed all show."""
    pipeline = build(architecture, distilled=distilled, device=device, dtype=dtype, kind=kind)
    generator = seeded(device, SEED)
    for name, gains in GAINS.items():
        draw_weights(getattr(pipeline, name), gains, generator)
    statistics = pipeline.vae.bn
    # As a trained one's are: no 0 and 1, which would hide what is done with them.
    statistics.running_mean.normal_(0.0, 0.2, generator=generator)
    statistics.running_var.uniform_(0.5, 1.5, generator=generator)
    return pipeline


def full_pipeline(*, device: torch.device, dtype: torch.dtype) -> Any:
    """Build the 4B at its real size, distilled."""
    return random_pipeline(FULL_4B, device=device, dtype=dtype)


def tiny_pipeline(*, distilled: bool | None) -> Any:
    """Build the smallest one that works, on the CPU; `worker.models.registry` saves it, and loads it as any other."""
    return random_pipeline(TINY, device=torch.device("cpu"), dtype=torch.float32, distilled=bool(distilled))
