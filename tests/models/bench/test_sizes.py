"""What the bench builds of each family at its full size, without memory for its weights."""

from typing import Any

import pytest
import torch

from tests.support.networks import META, require_counted
from worker.bench.sizes import FAMILIES, size_of
from worker.models.registry import random_pipeline


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    """Name one family after the other."""
    return str(request.param)


@pytest.fixture(scope="module")
def full(family: str) -> Any:
    """Build it as the bench does on a GPU."""
    return random_pipeline(size_of(family, "full").spec, device=META, dtype=torch.bfloat16)


def test_the_full_size_is_the_catalogs(family: str, full: Any) -> None:
    """Width and blocks are those of the weights that the family's name means, in bf16, and directly on the device."""
    network, config = size_of(family, "full").network, full.transformer.config
    assert config.num_attention_heads * config.attention_head_dim == network.width
    assert config.num_layers + config.get("num_single_layers", 0) == network.blocks
    weights = [weight for name in ("transformer", "vae", "text_encoder") for weight in getattr(full, name).parameters()]
    assert {(weight.device, weight.dtype) for weight in weights} == {(META, torch.bfloat16)}


def test_its_arithmetic_is_what_torch_counts(family: str, full: Any) -> None:
    """Far from a megapixel, with a second reference: attention grows with the square of the tokens."""
    if not type(full.transformer).__name__.startswith("Flux"):
        pytest.skip("what counts it takes no other arguments than FLUX's")
    network = size_of(family, "full").network
    require_counted(network, full, network.tokens((512, 512), [(512, 512), (832, 1248)]))
