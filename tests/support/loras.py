"""LoRAs as small as they come, of random numbers, in the files that diffusers writes."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

#: Of the layers in FLUX.1's and in FLUX.2's blocks, those that trainers take: some that are fused with others here, one
#: of three that are, one of the outputs, and one that is several from the start.
LAYERS = ("attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0", "add_q_proj", "proj_mlp", "to_qkv_mlp_proj")


def lora(transformer: nn.Module, seed: int, *, rank: int = 4, layers: tuple[str, ...] = LAYERS) -> dict[str, Tensor]:
    """Draw one for a transformer whose layers are diffusers' own: by peft's names, without the part's."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, layer in transformer.named_modules():
        if isinstance(layer, nn.Linear) and "blocks." in name and name.endswith(layers):
            height, width = layer.weight.shape
            weights[f"{name}.lora_A.weight"] = torch.randn(rank, width, generator=generator) / width**0.5
            weights[f"{name}.lora_B.weight"] = torch.randn(height, rank, generator=generator) / rank**0.5
    return weights


def save(pipeline: Any, weights: dict[str, Tensor], folder: Path, **more: Any) -> Path:
    """Save one as diffusers does; return its file."""
    type(pipeline).save_lora_weights(folder, transformer_lora_layers=weights, **more)
    return folder / "pytorch_lora_weights.safetensors"
