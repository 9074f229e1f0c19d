"""The call of diffusers' QwenImageEditPlusPipeline for rows with pictures, instructions and seeds of their own.

Its own refuses more than one row, so that the loop stands here; networks, noise, latents and schedule are the
pipeline's. A test holds a row of a call against its own call, alone.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus import calculate_shift
from torch import Tensor

from worker.contract.buckets import Bucket
from worker.models.qwen.reading import Text


@torch.no_grad()
def edit(
    pipeline: Any,
    pictures: Sequence[Tensor],
    made: Bucket,
    text: Text,
    negative: Text | None,
    *,
    scale: float,
    steps: int,
    generators: list[torch.Generator],
) -> Tensor:
    """Edit rows; return (rows, 3, height, width), from 0 to 1, of the size `made`.

    `pictures` has for each place (rows, 3, height, width), from 0 to 1: those that are edited, then references.
    `scale` is the strength of true CFG against `negative`.
    """
    width, height = made
    latents, references = pipeline.prepare_latents(
        # As videos of one frame.
        [pipeline.image_processor.normalize(place).unsqueeze(2) for place in pictures],
        len(generators),
        pipeline.transformer.config.in_channels // 4,
        height,
        width,
        text.states.dtype,
        text.states.device,
        generators,
    )
    shapes = [(1, down // 16, across // 16) for down, across in [(height, width), *(one.shape[2:] for one in pictures)]]

    def predicted(time: Tensor, read: Text) -> Tensor:
        prediction: Tensor = pipeline.transformer(
            hidden_states=torch.cat([latents, references], dim=1),
            timestep=time.expand(len(latents)).to(latents.dtype) / 1000,
            encoder_hidden_states=read.states,
            # Even where no row is padded: without a mask another kernel would round otherwise.
            encoder_hidden_states_mask=read.mask,
            img_shapes=[shapes] * len(latents),
            return_dict=False,
        )[0]
        return prediction[:, : latents.shape[1]]

    for time in _timesteps(pipeline.scheduler, latents.shape[1], steps, latents.device):
        noise = predicted(time, text)
        if negative is not None:
            noise = _guided(noise, predicted(time, negative), scale)
        latents = pipeline.scheduler.step(noise, time, latents, return_dict=False)[0]
    return _decoded(pipeline, latents, height, width)


def _timesteps(scheduler: Any, tokens: int, steps: int, device: torch.device) -> Tensor:
    config = scheduler.config
    shift = calculate_shift(
        tokens, config.base_image_seq_len, config.max_image_seq_len, config.base_shift, config.max_shift
    )
    with np.errstate(invalid="ignore"):
        scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), mu=shift, device=device)
    if steps == 1:
        # The schedule is stretched so that its last step is its end; where that is its first, it comes to 0 / 0.
        scheduler.sigmas[0] = 1.0
        scheduler.timesteps[0] = config.num_train_timesteps
    scheduler.set_begin_index(0)
    timesteps: Tensor = scheduler.timesteps
    return timesteps


def _guided(noise: Tensor, negative: Tensor, scale: float) -> Tensor:
    """Combine both passes, each token as long as the first has it."""
    combined = negative + scale * (noise - negative)
    wanted, found = (torch.linalg.vector_norm(one, dim=-1, keepdim=True) for one in (noise, combined))
    guided: Tensor = combined * (wanted / found)
    return guided


def _decoded(pipeline: Any, latents: Tensor, height: int, width: int) -> Tensor:
    vae = pipeline.vae
    unpacked = pipeline._unpack_latents(latents, height, width, pipeline.vae_scale_factor).to(vae.dtype)  # noqa: SLF001
    mean, deviation = (
        torch.tensor(numbers).view(1, -1, 1, 1, 1).to(unpacked.device, unpacked.dtype)
        for numbers in (vae.config.latents_mean, vae.config.latents_std)
    )
    # diffusers divides by the reciprocal, which rounds the same way.
    decoded = vae.decode(unpacked / (1.0 / deviation) + mean, return_dict=False)[0][:, :, 0]
    made: Tensor = pipeline.image_processor.postprocess(decoded, output_type="pt")
    return made
