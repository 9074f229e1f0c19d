"""Rows of the transformer depend on neither neighbours nor places at the real width, whose products are others."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import FluxTransformer2DModel

from worker.contract.profiles import PROFILES
from worker.models.kontext.architecture import FULL, TINY
from worker.models.pipelines.building import draw_weights, made_on
from worker.models.speed.capabilities import machine_of
from worker.models.speed.compiling import compiler_settings
from worker.models.speed.device import dtype_on
from worker.models.speed.fp8 import multiplies_fp8
from worker.models.speed.tuning import tune

ROWS = 4

#: By name: what is done to the blocks, of one kind of profile.
WAYS = {
    "reference": PROFILES["reference"],
    "fp8": replace(PROFILES["reference"], fp8=True),
    "exact": PROFILES["exact"],
    "fast": replace(PROFILES["fast"], step_interval=1),
}


@pytest.fixture(scope="module", params=WAYS)
def blocks(device: torch.device, kernels: Path, request: pytest.FixtureRequest) -> Any:
    """Build one block of each kind, as wide as the real model on a GPU, in one way after the other."""
    way = WAYS[request.param]
    if way.compiled and device.type == "cpu":
        pytest.skip("compiled on a GPU alone")
    if way.fp8 and not multiplies_fp8(device):
        pytest.skip("needs a device that multiplies in fp8")
    config = {**(FULL if device.type == "cuda" else TINY).transformer, "num_layers": 1, "num_single_layers": 1}
    with made_on(device, dtype_on(device)):
        transformer = FluxTransformer2DModel(**config, guidance_embeds=True).eval()
    draw_weights(transformer, {}, torch.Generator(device).manual_seed(6))
    tune(transformer, way, machine_of(device), kernels)
    yield transformer
    torch.compiler.reset()


#: Tokens of a picture: 1024x1024, and a resolution whose tokens are no multiple of 16; on a CPU few.
@pytest.mark.parametrize(("width", "height"), [(64, 64), (47, 87)])
@torch.no_grad()
def test_rows_come_out_where_they_went_in(blocks: Any, device: torch.device, width: int, height: int) -> None:
    """Permuted, or with one of them repeated, each row is bitwise what it was."""
    tokens = width * height if device.type == "cuda" else width * height // 64
    forward = rows_of(blocks, tokens)
    order = [2, 0, 3, 1]
    with compiler_settings():
        straight = forward(range(ROWS))
        assert straight.isfinite().all()
        assert not torch.equal(straight[0], straight[1])
        assert torch.equal(forward(order), straight[order])
        assert torch.equal(forward([1] * ROWS), straight[[1] * ROWS])


def rows_of(transformer: Any, tokens: int) -> Callable[[Any], torch.Tensor]:
    """Make rows of 512 tokens of text, a picture and a reference; return what computes some of them in one call."""
    config, device, dtype = transformer.config, transformer.device, transformer.dtype
    text = 512 if device.type == "cuda" else 16
    generator = torch.Generator(device).manual_seed(1)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(ROWS, *shape, generator=generator, device=device, dtype=dtype)

    rows = {
        "hidden_states": drawn(2 * tokens, config.in_channels),
        "encoder_hidden_states": drawn(text, config.joint_attention_dim),
        "pooled_projections": drawn(config.pooled_projection_dim),
        "timestep": torch.full((ROWS,), 0.5, device=device, dtype=dtype),
        "guidance": torch.full((ROWS,), 3.5, device=device),
    }
    places = {
        "img_ids": torch.arange(2 * tokens, device=device, dtype=dtype)[:, None].repeat(1, 3) % 64,
        "txt_ids": torch.zeros(text, 3, device=device, dtype=dtype),
    }
    return lambda order: transformer(**{name: row[[*order]] for name, row in rows.items()}, **places).sample
