"""How much a model has to calculate, counted by torch on networks without memory."""

from collections.abc import Callable
from functools import cache
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


@cache
def flop_of_flux(pipeline: Any, tokens: int) -> int:
    """Count the operations of FLUX's transformer over an instruction of 512 tokens, and pictures."""
    return sum(flop_by_operator(pipeline.transformer, tokens).values())


def flop_by_operator(transformer: Any, tokens: int) -> dict[str, int]:
    """Count the operations of such a pass, by torch's names: `aten.addmm`."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        transformer(**arguments(transformer, tokens, 512, META))
    return {str(operator): count for operator, count in counter.get_flop_counts()["Global"].items()}


def arguments(transformer: Any, tokens: int, text: int, device: torch.device) -> dict[str, Any]:
    """Return what FLUX's transformers are called with for so many tokens, of which some are the instruction's."""
    config, dims = transformer.config, len(transformer.config.axes_dims_rope)

    def ones(*shape: int) -> torch.Tensor:
        return torch.ones(shape, device=device, dtype=transformer.dtype)

    more = {"pooled_projections": ones(1, config.pooled_projection_dim)} if dims == 3 else {}
    return {
        "hidden_states": ones(1, tokens - text, config.in_channels),
        "encoder_hidden_states": ones(1, text, config.joint_attention_dim),
        "timestep": ones(1),
        "guidance": ones(1) if config.guidance_embeds else None,
        "img_ids": ones(tokens - text, dims),
        "txt_ids": ones(text, dims),
        **more,
    }


@cache
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
