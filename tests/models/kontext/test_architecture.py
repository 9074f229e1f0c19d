"""Kontext built from its configuration, at the real size and tiny."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.work import require_told
from worker.models.kontext.architecture import FULL, TINY, Architecture, build
from worker.models.kontext.random_weights import random_pipeline

CPU = torch.device("cpu")


def parameters(module: torch.nn.Module) -> int:
    """Count a network's numbers."""
    return sum(weight.numel() for weight in module.parameters())


def edited(pipeline: Any) -> np.ndarray[Any, Any]:
    """Edit a small picture in two steps; return (height, width, 3), from 0 to 1."""
    pixels: np.ndarray[Any, Any] = pipeline(
        image=Image.radial_gradient("L").convert("RGB").resize((64, 64)),
        prompt="Make it red.",
        height=64,
        width=64,
        max_area=64 * 64,
        _auto_resize=False,
        num_inference_steps=2,
        generator=torch.Generator().manual_seed(1),
        output_type="np",
    ).images[0]
    return pixels


@pytest.fixture(scope="module")
def full() -> Any:
    """Build the real size without memory for its weights."""
    return build(FULL, device=torch.device("meta"), dtype=torch.bfloat16)


@pytest.mark.parametrize(
    ("name", "billions"),
    # As the model card and the papers of CLIP-L and T5 v1.1 XXL's encoder have them.
    [("transformer", 11.90), ("text_encoder_2", 4.76), ("text_encoder", 0.123), ("vae", 0.0838)],
)
def test_the_real_size_has_the_real_models_parameters(full: Any, name: str, billions: float) -> None:
    """Each network has as many parameters as the checkpoint's, in bf16."""
    network = getattr(full, name)
    assert parameters(network) / 1e9 == pytest.approx(billions, rel=1e-3)
    assert {weight.dtype for weight in network.parameters()} == {torch.bfloat16}


def test_the_real_size_has_kontexts_geometry(full: Any) -> None:
    """A token is 16 x 16 pixels and 64 numbers; 57 blocks are 3072 wide; T5 hands over 4096 numbers per token."""
    config = full.transformer.config
    assert (full.vae_scale_factor, config.in_channels) == (8, 64)
    assert config.num_attention_heads * config.attention_head_dim == 3072
    assert config.num_layers + config.num_single_layers == 57
    assert sum(config.axes_dims_rope) == config.attention_head_dim
    assert full.text_encoder_2.config.d_model == config.joint_attention_dim
    assert full.text_encoder.config.hidden_size == config.pooled_projection_dim


@pytest.mark.parametrize("hub_id", ["black-forest-labs/FLUX.1-Kontext-dev", "black-forest-labs/FLUX.1-dev"])
def test_the_catalog_has_its_work_and_size(full: Any, hub_id: str) -> None:
    """What a producer is told of it is what the architecture comes to, which FLUX.1-dev has without a reference."""
    require_told(hub_id, full)


@pytest.mark.parametrize(
    "architecture",
    [TINY, replace(TINY, transformer={**TINY.transformer, "num_layers": 19, "num_single_layers": 38})],
    ids=["tiny", "as deep as the real one"],
)
def test_random_weights_make_a_picture_in_bf16(architecture: Architecture) -> None:
    """What random weights make in the type of a GPU is all numbers, and no single colour."""
    pipeline = random_pipeline(architecture, device=CPU, dtype=torch.bfloat16)
    seen: list[torch.Tensor] = []
    pipeline.transformer.register_forward_hook(lambda _module, _inputs, output: seen.append(output[0]))
    assert edited(pipeline).std() > 0.05
    assert len(seen) == 2
    assert all(output.isfinite().all() for output in seen)


def test_the_same_seed_gives_the_same_weights() -> None:
    """Two profiles are measured with the same weights, whatever was drawn in between."""
    one = random_pipeline(TINY, device=CPU, dtype=torch.float32)
    torch.rand(7)
    other = random_pipeline(TINY, device=CPU, dtype=torch.float32)
    pairs = zip(one.transformer.parameters(), other.transformer.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_building_leaves_torch_as_it_was() -> None:
    """The default type, the default device and the random state are what they were before."""
    before = torch.get_rng_state()
    build(TINY, device=torch.device("meta"), dtype=torch.bfloat16)
    assert torch.empty(1).dtype == torch.float32
    assert torch.empty(1).device == CPU
    assert torch.equal(torch.get_rng_state(), before)


def test_networks_are_built_for_use() -> None:
    """No network is in training mode, in which T5 would drop a tenth of its numbers at random."""
    pipeline = build(TINY, device=CPU, dtype=torch.float32)
    networks = (pipeline.vae, pipeline.text_encoder, pipeline.text_encoder_2, pipeline.transformer)
    assert not any(network.training for network in networks)
