"""Networks built from configurations, without a download, and weights drawn for them so that differences show."""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

#: As for Kontext (`worker.models.kontext.random_weights`), of the families since: factors that make a wrong photograph
#: or instruction show.
GAINS: Mapping[str, Mapping[str, float]] = {
    "vae": {
        r"encoder\.conv_in\.bias": 0.5,
        r"encoder\..*conv2\.weight": 0.0,
        r"decoder\.conv_out\.weight": 0.5,
    },
    "text_encoder": {},
    "transformer": {
        r"norm_(added_)?[qk]\.weight": 2.5,
        r"(to_v|add_v_proj)\.weight": 6.0,
        r"^proj_out\.weight": 3.0,
    },
}


@contextmanager
def made_on(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Have new tensors made on a device and, where they are of floating point, in a type; the host never holds them.

    What the classes draw meanwhile comes from torch's global generator, whose state is put back.
    """
    before = torch.get_default_dtype()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.set_default_dtype(dtype)
        try:
            with device:
                yield
        finally:
            torch.set_default_dtype(before)


def seeded(device: torch.device, seed: int) -> torch.Generator:
    """Return a generator on a device; where that has no memory, and so nothing to draw, on the CPU."""
    return torch.Generator("cpu" if device.type == "meta" else device).manual_seed(seed)


@torch.no_grad()
def draw_weights(module: torch.nn.Module, gains: Mapping[str, float], generator: torch.Generator) -> None:
    """Draw a network's weights: matrices that keep their input's variance, biases of 0, norms of 1.

    `gains` has other factors, by patterns of names; the first that matches counts.
    """
    for name, weight in module.named_parameters():
        gain = next((gain for pattern, gain in gains.items() if re.search(pattern, name)), None)
        if name.endswith("bias"):
            weight.normal_(0.0, gain or 0.0, generator=generator)
        elif weight[0].numel() == 1:
            weight.fill_(1.0 if gain is None else gain)
        else:
            std = (1.0 if gain is None else gain) / math.sqrt(weight[0].numel())
            weight.normal_(0.0, std, generator=generator)
        if weight.shape[2:]:
            # Even kernels draw blobs instead of grain, and blobs outlive a resize.
            weight.copy_(weight.mean((-2, -1), keepdim=True).expand_as(weight) * weight.shape[-1])
