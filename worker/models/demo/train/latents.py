"""Pictures and their edits as the autoencoder sees them, computed once for the whole training."""

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from worker.contract.buckets import DEMO_BUCKETS, Bucket
from worker.models.demo.edits import edited
from worker.models.demo.train.data import bank
from worker.models.demo.train.instructions import NAMES, pair
from worker.models.demo.train.state import load, save

logger = logging.getLogger(__name__)

#: Smaller than any that the model is used at: with few tokens it learns fast what to do, and later where.
SMALL: Final = (Bucket(128, 128), Bucket(96, 160), Bucket(160, 96), Bucket(128, 192), Bucket(192, 128), Bucket(96, 96))

#: Of two edits at once, for every picture.
_PAIRS: Final = 3


@dataclass(frozen=True)
class Latents:
    """Pictures of one size, each as it was and as its edits would have it."""

    #: float16, (pictures, variants, channels, height / 8, width / 8): first those of NAMES, of which "keep" is first.
    values: Tensor
    #: For every picture the two edits of each variant that follows them.
    pairs: Sequence[Sequence[tuple[str, ...]]]


def encode_all(vae: Any, work: Path, *, pictures: int, seed: int) -> dict[Bucket, Latents]:
    """Encode so many pictures of 256 × 256 pixels, and of each size as many pixels, in all their edits.

    `work` keeps them for a training that goes on.
    """
    kind = f"{digest(vae)}-{seed}-{pictures}"
    return {
        size: _kept(
            work / f"latents-{kind}-{size}.pt", partial(encode_size, vae, size, _count(pictures, size), seed + place)
        )
        for place, size in enumerate((*DEMO_BUCKETS, *SMALL))
    }


def _count(pictures: int, size: Bucket) -> int:
    return round(pictures * 256 * 256 / (size.width * size.height))


def digest(vae: Any) -> str:
    """Name an autoencoder's weights, and what the edits make of a picture: others' latents mean other pictures."""
    some = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    tensors = (*vae.parameters(), *(edited(some, [name]) for name in NAMES))
    everything = b"".join(tensor.detach().cpu().contiguous().numpy().tobytes() for tensor in tensors)
    return hashlib.sha256(everything).hexdigest()[:12]


def _kept(file: Path, compute: Callable[[], Latents]) -> Latents:
    if not file.is_file():
        found = compute()
        save({"values": found.values, "pairs": found.pairs}, file)
    kept = load(file)
    return Latents(kept["values"], kept["pairs"])


def encode_size(vae: Any, size: Bucket, count: int, seed: int) -> Latents:
    """Encode so many pictures of one size, in all their edits."""
    pictures, values, pairs = bank(seed, size, count), [], []
    draw = np.random.default_rng(seed)
    for picture in pictures.float() / 255:
        both = [pair(draw).edits for _ in range(_PAIRS)]
        variants = torch.cat([edited(picture[None], names) for names in (*((name,) for name in NAMES), *both)])
        values.append(encode(vae, variants).half().cpu())
        pairs.append(both)
    logger.info("latents: %d pictures of %s", count, size)
    return Latents(torch.stack(values), pairs)


@torch.no_grad()
def encode(vae: Any, pictures: Tensor) -> Tensor:
    """Encode pictures, (pictures, 3, height, width) of 0 to 1, as the pipeline does it."""
    with torch.autocast(vae.device.type, torch.bfloat16):
        wanted = (2 * pictures - 1).to(vae.device, memory_format=torch.channels_last)
        latents: Tensor = vae.encode(wanted).latent_dist.mode().float()
    shifted: Tensor = (latents - vae.config.shift_factor) * vae.config.scaling_factor
    return shifted


@torch.no_grad()
def normalise(vae: Any, pictures: Tensor) -> None:
    """Set the shift and the scale that make the latents of these pictures 0 on average, with a deviation of 1."""
    vae.register_to_config(shift_factor=0.0, scaling_factor=1.0)
    latents = torch.cat([encode(vae, some) for some in pictures.split(8)])
    vae.register_to_config(shift_factor=latents.mean().item(), scaling_factor=1 / latents.std().item())


@torch.no_grad()
def weights(vae: Any, pictures: Tensor) -> Tensor:
    """Return what an error in each channel of the latents costs in pixels, squared; 1 on average, (channels,)."""
    latents = torch.cat([encode(vae, some) for some in pictures.split(8)])
    costs = torch.stack(list(_costs(vae, latents)))
    return costs / costs.mean()


def _costs(vae: Any, latents: Tensor) -> Iterator[Tensor]:
    shift, scale = vae.config.shift_factor, vae.config.scaling_factor
    right = vae.decode(latents / scale + shift).sample
    for channel in range(latents.shape[1]):
        wrong = latents.clone()
        noise = torch.randn(wrong[:, channel].shape, generator=torch.Generator().manual_seed(channel))
        wrong[:, channel] += 0.3 * noise.to(wrong.device)
        yield (vae.decode(wrong / scale + shift).sample - right).square().mean()
