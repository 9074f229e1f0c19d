"""Whether the catalog's networks calculate what torch counts, on networks without memory."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from diffusers import Flux2KleinKVPipeline
from torch.utils.flop_counter import FlopCounterMode

from worker.contract.work import Network, Tokens

META = torch.device("meta")


def require_counted(network: Network, pipeline: Any, tokens: Tokens) -> None:
    """Assert that a network's arithmetic is what torch counts of the pipeline's transformer over so many tokens.

    Of eight of its blocks, of which the others are copies; what is around them is then up to 1.5 %.
    """
    transformer = pipeline.transformer
    transformer.transformer_blocks = transformer.transformer_blocks[:4]
    transformer.single_transformer_blocks = transformer.single_transformer_blocks[:4]
    of_eight = replace(network, blocks=8)
    for work, counted in zip((of_eight.first, of_eight.later), flop_of_passes(pipeline, tokens), strict=True):
        assert work(tokens).all == pytest.approx(counted, rel=1.5e-2)


def flop_of_passes(pipeline: Any, tokens: Tokens) -> tuple[int, int]:
    """Count the operations of the transformer at the first step and at each later one, which may need fewer."""
    if not isinstance(pipeline, Flux2KleinKVPipeline):
        first, _ = _count(pipeline.transformer, sum(tokens))
        return first, first
    first, (_, kept) = _count(
        pipeline.transformer, sum(tokens), kv_cache_mode="extract", num_ref_tokens=tokens.references
    )
    later, _ = _count(pipeline.transformer, tokens.own, kv_cache_mode="cached", kv_cache=kept)
    return first, later


def _count(transformer: Any, tokens: int, **how: Any) -> tuple[int, Any]:
    """Count the operations of a pass over so many tokens, 512 of them an instruction's; return what it makes, too."""
    config, dims = transformer.config, len(transformer.config.axes_dims_rope)

    def empty(*shape: int) -> torch.Tensor:
        return torch.empty(shape, device=META, dtype=torch.bfloat16)

    more = {"pooled_projections": empty(1, config.pooled_projection_dim)} if dims == 3 else how
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        made = transformer(
            hidden_states=empty(1, tokens - 512, config.in_channels),
            encoder_hidden_states=empty(1, 512, config.joint_attention_dim),
            timestep=empty(1),
            guidance=empty(1) if config.guidance_embeds else None,
            img_ids=empty(tokens - 512, dims),
            txt_ids=empty(512, dims),
            return_dict=False,
            **more,
        )
    return int(counter.get_total_flops()), made
