"""Two blocks of the transformer, one of each kind, as wide as the real model's on a GPU and tiny on a CPU."""

from collections.abc import Callable, Iterable

import torch
from diffusers import FluxTransformer2DModel

from worker.models.kontext.architecture import FULL, TINY
from worker.models.pipelines.building import draw_weights, made_on
from worker.models.speed.device import dtype_on

#: Rows that there are.
ROWS = 4


def two_blocks(device: torch.device) -> FluxTransformer2DModel:
    """Build them, with random weights, in the type that the model runs in."""
    config = {**(FULL if device.type == "cuda" else TINY).transformer, "num_layers": 1, "num_single_layers": 1}
    with made_on(device, dtype_on(device)):
        transformer = FluxTransformer2DModel(**config, guidance_embeds=True).eval()
    draw_weights(transformer, {}, torch.Generator(device).manual_seed(6))
    return transformer


def forward_of(transformer: FluxTransformer2DModel, tokens: int) -> Callable[[Iterable[int]], torch.Tensor]:
    """Make rows of a text, a picture of so many tokens and a reference; return what computes some rows in one call."""
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
