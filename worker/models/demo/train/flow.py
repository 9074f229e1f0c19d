"""Training of the transformer and the text encoders: flow matching, in the pipeline's own packing and position ids."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from diffusers import FluxKontextPipeline
from torch import Tensor

from worker.buckets import Bucket
from worker.models.demo.train.instructions import NAMES, Instruction, alone, together
from worker.models.demo.train.latents import SMALL, Latents
from worker.models.demo.train.state import Progress, generator_of
from worker.models.demo.train.text import embed

logger = logging.getLogger(__name__)

#: How many steps it learns for.
STEPS: Final = 3300

#: Tokens of the pictures that a step learns to make: 8 of 256 × 256 pixels.
_TOKENS: Final = 2048

#: How often an edit is asked for, where that is not 1: what needs to know where things are is learned last.
_OFTEN: Final = {"keep": 2.0, "mirror": 3.0, "outline": 1.5}

#: The pipeline's own shift of the noise schedule at 256 × 256 pixels, exp(0.5).
_SHIFT: Final = 1.65


class Batch(NamedTuple):
    """What one step learns from; latents of shape (rows, channels, height / 8, width / 8)."""

    source: Tensor
    target: Tensor
    instructions: list[Instruction]


def train_transformer(
    pipeline: Any, file: Path, latents: Mapping[Bucket, Latents], weights: Tensor, *, steps: int, seed: int
) -> None:
    """Teach it to follow instructions; `weights` is what an error in each channel of the latents counts."""
    parts = {name: getattr(pipeline, name).train() for name in ("transformer", "text_encoder", "text_encoder_2")}
    learned = [weight for part in parts.values() for weight in part.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learned, betas=(0.9, 0.98), weight_decay=0.01)
    padding = pipeline.text_encoder_2.get_input_embeddings().weight
    begun, losses = time.monotonic(), []
    for step in Progress(file, {**parts, "optimizer": optimizer}, steps=steps, rate=2e-3):
        batch = _draw(latents, np.random.default_rng([seed, step]), step / steps)
        loss = loss_of(pipeline, batch, weights, generator_of(seed, step))
        optimizer.zero_grad()
        loss.backward()
        padding.grad[0] = 0.0  # what is nothing stays nothing, and does not count in the norm
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        losses.append(loss.item())
        if (step + 1) % 100 == 0 or step + 1 == steps:
            mean, took = np.mean(losses[-100:]), time.monotonic() - begun
            logger.info("transformer: step %d, loss %.4f, %.0f s", step + 1, mean, took)
    for part in parts.values():
        part.eval()


def _draw(latents: Mapping[Bucket, Latents], draw: np.random.Generator, progress: float) -> Batch:
    """Choose pictures of one size, and for each an edit and what to say."""
    small = draw.random() < max(0.15, 0.9 - 1.5 * progress)
    sizes = [size for size in latents if (size in SMALL) == small]
    size = sizes[draw.integers(len(sizes))]
    some = latents[size]
    rows = _TOKENS // (size.width // 16 * (size.height // 16))
    numbers = draw.integers(len(some.values), size=rows)
    variants = draw.choice(some.values.shape[1], size=rows, p=_chances(some.values.shape[1]))
    asked = [_instruction(draw, some, number, variant) for number, variant in zip(numbers, variants, strict=True)]
    return Batch(some.values[numbers, 0].float(), some.values[numbers, variants].float(), asked)


def _chances(variants: int) -> Any:
    often = np.array([_OFTEN.get(name, 1.0) for name in NAMES] + [0.7] * (variants - len(NAMES)))
    return often / often.sum()


def _instruction(draw: np.random.Generator, some: Latents, number: int, variant: int) -> Instruction:
    if variant < len(NAMES):
        return alone(draw, NAMES[variant])
    names = some.pairs[number][variant - len(NAMES)]
    return Instruction(together(draw, names), names)


def loss_of(pipeline: Any, batch: Batch, weights: Tensor, generator: torch.Generator) -> Tensor:
    """Return the error of the velocities of one batch, at a noise of each row's own."""
    device = pipeline.transformer.device
    rows, _, height, width = batch.target.shape
    chance = torch.rand(rows, generator=generator)
    sigma = _SHIFT * chance / (1 + (_SHIFT - 1) * chance)
    noise = torch.randn(batch.target.shape, generator=generator)
    noisy = torch.lerp(batch.target, noise, sigma[:, None, None, None])
    source, wanted, noisy = (_pack(one).to(device) for one in (batch.source, noise - batch.target, noisy))
    # Half of the rows at the pipeline's default, the others between 1 and 10: it changes nothing.
    guidance = torch.where(torch.rand(rows, generator=generator).round() > 0, 3.5, 1 + 9 * chance.flip(0))
    text = embed(pipeline, [instruction.text for instruction in batch.instructions])
    sigma, guidance = sigma.to(device), guidance.to(device)
    with torch.autocast(device.type, torch.bfloat16), _exact(pipeline.transformer, sigma, guidance):
        velocity = pipeline.transformer(
            hidden_states=torch.cat([noisy, source], dim=1),
            encoder_hidden_states=text.sequence,
            pooled_projections=text.pooled,
            timestep=sigma,
            guidance=guidance,
            img_ids=_ids(height // 2, width // 2, device),
            txt_ids=torch.zeros(text.sequence.shape[1], 3, device=device),
            joint_attention_kwargs={"attention_mask": torch.nn.functional.pad(text.bias, (0, 2 * noisy.shape[1]))},
        ).sample[:, : noisy.shape[1]]
    # A token's numbers are four of each channel, side by side.
    errors: Tensor = (velocity.float() - wanted).square()
    return (errors * weights.repeat_interleave(4).to(device)).mean()


@contextmanager
def _exact(transformer: Any, timestep: Tensor, guidance: Tensor) -> Iterator[None]:
    """Have the transformer take timestep and guidance as they are, in every other row.

    In bf16 it rounds both times 1000 to multiples of 4 and more; so does a pipeline in bf16, but none in fp32.
    """

    def replace(_module: Any, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        rounded = torch.arange(len(timestep), device=timestep.device) % 2 == 1
        told = (1000 * timestep, 1000 * guidance)
        return (*(torch.where(rounded, one, it) for one, it in zip(given[:2], told, strict=True)), *given[2:])

    handle = transformer.time_text_embed.register_forward_pre_hook(replace)
    try:
        yield
    finally:
        handle.remove()


def _pack(latents: Tensor) -> Tensor:
    packed: Tensor = FluxKontextPipeline._pack_latents(latents, *latents.shape)  # noqa: SLF001 - the pipeline's own
    return packed


def _ids(height: int, width: int, device: torch.device) -> Tensor:
    """Return position ids: of the picture that is made, and of the one that it is made from, marked by 1."""
    ids = FluxKontextPipeline._prepare_latent_image_ids(1, height, width, device, torch.float32)  # noqa: SLF001
    source = ids.clone()
    source[:, 0] = 1
    return torch.cat([ids, source])
