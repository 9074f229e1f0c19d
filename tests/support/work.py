"""How much a model has to calculate, counted by torch on networks without memory."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from worker.contract.buckets import Bucket
from worker.contract.catalog import checkpoint_of

META = torch.device("meta")
SQUARE = Bucket(1024, 1024)


def require_told(hub_id: str, pipeline: Any, flop_of: Callable[[Any, int], int] | None = None) -> None:
    """Assert that the catalog has a checkpoint's work, in the model's own steps and passes, and its size in bf16.

    `flop_of` counts a pass of the pipeline's transformer over so many tokens, an instruction of 512 among them;
    FLUX's where it is left out.
    """
    spec, checkpoint = checkpoint_of(hub_id) or pytest.fail(hub_id)
    passes = spec.steps * (2 if spec.guided == "true CFG" else 1)
    tokens = SQUARE.tokens_for(spec.tasks[0])
    assert checkpoint.pflop == pytest.approx(passes * (flop_of or flop_of_flux)(pipeline, tokens) / 1e15, rel=2e-3)
    networks = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    numbers = sum(weight.numel() for network in networks for weight in network.parameters())
    assert checkpoint.gigabytes == pytest.approx(2 * numbers / 1e9, rel=5e-3)


def flop_of_flux(pipeline: Any, tokens: int) -> int:
    """Count the operations of FLUX's transformer over an instruction of 512 tokens, and pictures."""
    transformer = pipeline.transformer
    config, dims = transformer.config, len(transformer.config.axes_dims_rope)

    more = {"pooled_projections": _empty(1, config.pooled_projection_dim)} if dims == 3 else {}
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        transformer(
            hidden_states=_empty(1, tokens - 512, config.in_channels),
            encoder_hidden_states=_empty(1, 512, config.joint_attention_dim),
            timestep=_empty(1),
            guidance=_empty(1) if config.guidance_embeds else None,
            img_ids=_empty(tokens - 512, dims),
            txt_ids=_empty(512, dims),
            **more,
        )
    return int(counter.get_total_flops())


def flop_of_qwen(pipeline: Any, tokens: int) -> int:
    """Count those of Qwen-Image's, whose encoder has 203 tokens more for a picture of 1024 x 1024.

    It sees that at 392 x 392, 28 x 28 pixels a token, and its name, "Picture 1: ", and two marks are seven.
    """
    pixels, config = tokens - 512, pipeline.transformer.config
    side = int((pixels // 2) ** 0.5)
    text = 512 + 7 + (392 // 28) ** 2
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        pipeline.transformer(
            hidden_states=_empty(1, pixels, config.in_channels),
            encoder_hidden_states=_empty(1, text, config.joint_attention_dim),
            encoder_hidden_states_mask=torch.ones(1, text, dtype=torch.bool, device=META),
            timestep=_empty(1),
            img_shapes=[[(1, side, side)] * 2],
        )
    return int(counter.get_total_flops())


def _empty(*shape: int) -> torch.Tensor:
    return torch.empty(shape, device=META, dtype=torch.bfloat16)
