"""What the catalog says of a checkpoint's work and size is what its architecture comes to, counted by torch."""

from functools import cache
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from worker.contract.buckets import Bucket
from worker.contract.catalog import MODELS, checkpoint_of
from worker.models.klein import architecture as klein
from worker.models.kontext import architecture as kontext

META = torch.device("meta")
SQUARE = Bucket(1024, 1024)


def kontext_dev() -> Any:
    """Build FLUX.1-Kontext without memory for its weights."""
    return kontext.build(kontext.FULL, device=META, dtype=torch.bfloat16)


@cache
def klein_of(size: str) -> Any:
    """Build a FLUX.2 [klein] without memory for its weights."""
    return klein.build(
        {"4B": klein.FULL_4B, "9B": klein.FULL_9B}[size], distilled=True, device=META, dtype=torch.bfloat16
    )


#: By hub id; a base is built as what was distilled from it.
BUILT = {
    "black-forest-labs/FLUX.1-Kontext-dev": kontext_dev,
    "black-forest-labs/FLUX.2-klein-4B": lambda: klein_of("4B"),
    "black-forest-labs/FLUX.2-klein-base-4B": lambda: klein_of("4B"),
    "black-forest-labs/FLUX.2-klein-9B": lambda: klein_of("9B"),
    "black-forest-labs/FLUX.2-klein-base-9B": lambda: klein_of("9B"),
}


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


def test_every_checkpoint_is_counted() -> None:
    """None is left out of the table above."""
    assert {one.hub_id for spec in MODELS.values() for one in spec.checkpoints} == set(BUILT)


@pytest.mark.parametrize("hub_id", BUILT)
def test_the_catalog_has_its_work_and_size(hub_id: str) -> None:
    """In the model's own steps, with a second pass where there is true CFG; bf16 takes two bytes a number."""
    spec, checkpoint = checkpoint_of(hub_id) or pytest.fail(hub_id)
    pipeline = BUILT[hub_id]()
    passes = spec.steps * (2 if spec.guided == "true CFG" else 1)
    assert checkpoint.pflop == pytest.approx(passes * flop_of_a_pass(pipeline, SQUARE.tokens) / 1e15, rel=2e-3)
    networks = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    numbers = sum(weight.numel() for network in networks for weight in network.parameters())
    assert checkpoint.gigabytes == pytest.approx(2 * numbers / 1e9, rel=5e-3)
