"""Training of the transformer and the text encoders: flow matching, in the pipeline's own packing and position ids."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers import FluxKontextPipeline
from torch import Tensor
from torch.overrides import TorchFunctionMode

from worker.contract.buckets import Bucket
from worker.models.demo.train.batches import Batch, draw_batch
from worker.models.demo.train.latents import Latents, digest
from worker.models.demo.train.state import Progress, generator_of
from worker.models.demo.train.text import embed

logger = logging.getLogger(__name__)

#: How many steps it learns for.
STEPS: Final = 7000

#: The pipeline's own shift of the noise schedule at 256 × 256 pixels, exp(0.5).
_SHIFT: Final = 1.65


def train_transformer(
    pipeline: Any, file: Path, latents: Mapping[Bucket, Latents], weights: Tensor, *, steps: int, seed: int
) -> float:
    """Teach it to follow instructions; return the seconds that its steps took.

    `weights` is what an error in each channel of the latents counts.
    """
    parts = {name: getattr(pipeline, name).train() for name in ("transformer", "text_encoder", "text_encoder_2")}
    learned = [weight for part in parts.values() for weight in part.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learned, betas=(0.9, 0.98), weight_decay=0.01)
    padding = pipeline.text_encoder_2.get_input_embeddings().weight
    progress = Progress(
        file, {**parts, "optimizer": optimizer}, steps=steps, rate=2e-3, seed=seed, latents=digest(pipeline.vae)
    )
    losses = []
    for step in progress:
        batch = draw_batch(latents, np.random.default_rng([seed, step]), step / steps)
        loss = loss_of(pipeline, batch, weights, generator_of(seed, step))
        optimizer.zero_grad()
        loss.backward()
        padding.grad[0] = 0.0  # what is nothing stays nothing, and does not count in the norm
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        losses.append(loss.item())
        if (step + 1) % 100 == 0 or step + 1 == steps:
            mean = np.mean(losses[-100:])
            logger.info("transformer: step %d of %d, loss %.4f, %.0f s", step + 1, steps, mean, progress.seconds())
    for part in parts.values():
        part.eval()
    return progress.seconds()


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
    with (
        torch.autocast(device.type, torch.bfloat16),
        _exact(pipeline.transformer, sigma, guidance),
        _PlainAttention() if device.type == "cpu" else nullcontext(),
    ):
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


class _PlainAttention(TorchFunctionMode):
    """Computes attention as plain products: a CPU takes twice as long to go back through its fused kernel."""

    def __torch_function__(self, called: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if called is torch.nn.functional.scaled_dot_product_attention:
            return _attention(*args, **kwargs)
        return called(*args, **(kwargs or {}))


def _attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor, **_unused: Any) -> Tensor:
    scores = query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2) + attn_mask.to(query.dtype)
    attended: Tensor = scores.softmax(-1) @ value
    return attended


def _pack(latents: Tensor) -> Tensor:
    packed: Tensor = FluxKontextPipeline._pack_latents(latents, *latents.shape)  # noqa: SLF001 - the pipeline's own
    return packed


def _ids(height: int, width: int, device: torch.device) -> Tensor:
    """Return position ids: of the picture that is made, and of the one that it is made from, marked by 1."""
    ids = FluxKontextPipeline._prepare_latent_image_ids(1, height, width, device, torch.float32)  # noqa: SLF001 - its own
    source = ids.clone()
    source[:, 0] = 1
    return torch.cat([ids, source])
