"""Rows for a model that is called without a worker."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from worker.batching.jobs import BatchKey, EditJob, Ticket
from worker.contract.buckets import Bucket
from worker.models.protocol import EditModel

#: Small: what is tested here is the same at any size.
SMALL = Bucket(96, 64)


def key(bucket: Bucket = SMALL, *, steps: int = 6, true_cfg_scale: float = 1.0, num_images: int = 1) -> BatchKey:
    """Make a batch key."""
    return BatchKey(bucket=bucket, steps=steps, guidance=3.5, true_cfg_scale=true_cfg_scale, num_images=num_images)


def job(number: int, bucket: Bucket = SMALL, *, negative: str | None = None, images: int = 1) -> EditJob:
    """Make a row of its own picture, instruction and seeds."""
    turned = Image.radial_gradient("L").rotate(23 * number, fillcolor=17 * number % 256)
    bands = [
        turned.resize(bucket),
        Image.linear_gradient("L").resize(bucket),
        Image.new("L", bucket, 40 * number % 256),
    ]
    seeds = tuple(100 * number + index for index in range(images))
    prompt = f"Make {'it ' * number}{number} times as bright."
    return EditJob(Ticket("run", number, "", ""), Image.merge("RGB", bands), prompt, negative, seeds)


def edited(model: EditModel, of: BatchKey, jobs: Sequence[EditJob], most: int) -> list[np.ndarray]:
    """Return the first image of each row, as (height, width, 3)."""
    return [np.asarray(images[0]) for images in model.edit(of, jobs, most)]
