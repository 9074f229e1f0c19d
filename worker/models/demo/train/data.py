"""Banks of made pictures, drawn by several processes: picture n of a bank is the same on every machine."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from os import cpu_count

import numpy as np
import torch
from torch import Tensor

from worker.contract.buckets import Bucket
from worker.models.demo.train.pictures import picture


def bank(seed: int, size: Bucket, count: int) -> Tensor:
    """Make pictures of one size: uint8, (count, 3, height, width)."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])  # else each of them would import torch for itself
    with ProcessPoolExecutor(cpu_count() or 1, mp_context=context) as processes:
        made = processes.map(partial(_picture, seed, size), range(count), chunksize=16)
        return torch.from_numpy(np.stack(list(made))).permute(0, 3, 1, 2).contiguous()


def _picture(seed: int, size: Bucket, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(picture(np.random.default_rng([seed, number]), *size))


def crops(pictures: Tensor, count: int, side: int, generator: torch.Generator) -> Tensor:
    """Cut squares out of pictures of a bank, every other one mirrored: float, (count, 3, side, side), 0 to 1."""
    height, width = pictures.shape[2:]

    def below(most: int) -> Sequence[int]:
        return torch.randint(most, (count,), generator=generator).tolist()

    places = zip(below(len(pictures)), below(height - side + 1), below(width - side + 1), strict=True)
    cut = torch.stack([pictures[n, :, y : y + side, x : x + side] for n, y, x in places]).float() / 255
    cut[::2] = cut[::2].flip(-1)
    return cut
