"""FLUX.2 [klein] KV of diffusers' own classes with random weights: its networks are those of [klein]."""

from typing import Any

import torch
from diffusers import Flux2KleinKVPipeline

from worker.models.klein.architecture import FULL_9B, TINY
from worker.models.klein.random_weights import random_pipeline


def full_pipeline(*, device: torch.device, dtype: torch.dtype) -> Any:
    """Build the 9B at its real size."""
    return random_pipeline(FULL_9B, device=device, dtype=dtype, kind=Flux2KleinKVPipeline)


def tiny_pipeline(*, distilled: bool | None) -> Any:
    """Build the smallest one that works, on the CPU; `worker.models.registry` saves it, and loads it as any other."""
    del distilled  # there is one kind
    return random_pipeline(TINY, device=torch.device("cpu"), dtype=torch.float32, kind=Flux2KleinKVPipeline)
