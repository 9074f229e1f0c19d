"""How much a model has to calculate, counted by torch on networks without memory."""

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from worker.contract.buckets import Bucket
from worker.contract.catalog import checkpoint_of

META = torch.device("meta")
SQUARE = Bucket(1024, 1024)


def require_told(hub_id: str, pipeline: Any) -> None:
    """Assert that the catalog has a checkpoint's work, in the model's own steps and passes, and its size in bf16."""
    spec, checkpoint = checkpoint_of(hub_id) or pytest.fail(hub_id)
    passes = spec.steps * (2 if spec.guided == "true CFG" else 1)
    assert checkpoint.pflop == pytest.approx(passes * flop_of_a_pass(pipeline, SQUARE.tokens) / 1e15, rel=2e-3)
    networks = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    numbers = sum(weight.numel() for network in networks for weight in network.parameters())
    assert checkpoint.gigabytes == pytest.approx(2 * numbers / 1e9, rel=5e-3)


def flop_of_a_pass(pipeline: Any, tokens: int) -> int:
    """Count the operations of the transformer over an instruction of 512 tokens, a reference and a picture."""
    transformer = pipeline.transformer
    config, dims = transformer.config, len(transformer.config.axes_dims_rope)

    def empty(*shape: int) -> torch.Tensor:
        return torch.empty(shape, device=META, dtype=torch.bfloat16)

    more = {"pooled_projections": empty(1, config.pooled_projection_dim)} if dims == 3 else {}
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        transformer(
            hidden_states=empty(1, tokens - 512, config.in_channels),
            encoder_hidden_states=empty(1, 512, config.joint_attention_dim),
            timestep=empty(1),
            guidance=empty(1) if config.guidance_embeds else None,
            img_ids=empty(tokens - 512, dims),
            txt_ids=empty(512, dims),
            **more,
        )
    return int(counter.get_total_flops())
