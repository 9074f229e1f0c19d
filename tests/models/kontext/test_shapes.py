"""Kontext edits a picture of another shape than the one that it makes as diffusers' own pipeline does."""

import numpy as np
import torch

from tests.models.conftest import Load
from tests.support.jobs import SMALL, edited, job, key
from worker.contract.buckets import Bucket

GIVEN = Bucket(48, 144)


def test_a_picture_of_another_shape_is_what_diffusers_makes_of_it(load: Load) -> None:
    """At positions of its own, beside another row: to 1 of 255."""
    model, rows = load(), [job(number, GIVEN) for number in (2, 1)]
    together = edited(model, key(steps=3)._replace(given=GIVEN), rows, 2)
    for row, picture in zip(rows, together, strict=True):
        made = model.pipeline(
            image=row.image,
            prompt=row.prompt,
            width=SMALL.width,
            height=SMALL.height,
            max_area=SMALL.width * SMALL.height,
            _auto_resize=False,
            num_inference_steps=3,
            guidance_scale=3.5,
            generator=torch.Generator().manual_seed(row.seeds[0]),
        ).images[0]
        most = 1 if model.pipeline.dtype == torch.float32 else 32
        assert np.abs(np.asarray(made).astype(int) - picture).max() <= most
