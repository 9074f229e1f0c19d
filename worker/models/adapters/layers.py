"""Linear layers to which a call's LoRAs add their products; without one they calculate what they ever did."""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from worker.models.speed.fp8 import RowwiseFP8Linear


class LowRank(nn.Module):
    """What LoRAs add to a layer: `up · (scale × (down · x))`, beside its own product and in the model's own type.

    So it works in every profile: beside weights in fp8, which are too coarse for so small a difference to be added to
    them, and compiled, where other LoRAs of the same rank are other inputs of the same kernels.
    """

    #: (rank, in), (out, rank) and (rank); all of them None where nothing is added.
    lora_down: Tensor | None
    lora_up: Tensor
    lora_scale: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Return (…, out) of (…, in)."""
        product: Tensor = super().forward(x)
        if self.lora_down is None:
            return product
        return product + linear(linear(x, self.lora_down) * self.lora_scale, self.lora_up)


#: Of a layer: what is its own is called otherwise.
_BUFFERS: Final = ("lora_down", "lora_up", "lora_scale")


class _Linear(LowRank, nn.Linear):
    """diffusers' own."""


class _FP8Linear(LowRank, RowwiseFP8Linear):
    """One that multiplies in fp8."""


_ADAPTABLE: Final[dict[type[nn.Module], type[LowRank]]] = {nn.Linear: _Linear, RowwiseFP8Linear: _FP8Linear}

#: What `worker.models.speed.fusing` makes one layer of; files name the three.
_FUSED: Final = {"to_qkv": ("to_q", "to_k", "to_v"), "to_added_qkv": ("add_q_proj", "add_k_proj", "add_v_proj")}


class Place(NamedTuple):
    """Where the product of a layer, as files name it, is added."""

    #: Name of the layer that is there.
    layer: str
    #: Rows of its output that are this one's, and the width of its input.
    start: int
    stop: int
    width: int


def make_adaptable(transformer: nn.Module) -> dict[str, Place]:
    """Let every linear layer of a transformer take products; return where, by the name that a file has for it.

    To be called before anything is compiled, and after all that replaces layers. The weights stay where they are.
    """
    for module in transformer.modules():
        if (kind := _ADAPTABLE.get(type(module))) is not None:
            module.__class__ = kind
            for name in _BUFFERS:
                module.register_buffer(name, None, persistent=False)
    return dict(_places(transformer))


def layers_of(transformer: nn.Module) -> dict[str, Any]:
    """Return the layers that take products, by name."""
    return {name: module for name, module in transformer.named_modules() if isinstance(module, LowRank)}


def kind_of(layer: str) -> str:
    """Name a layer without the number of its block: those of one kind are compiled as one."""
    return re.sub(r"\.\d+\.", ".", layer, count=1)


def _places(transformer: nn.Module) -> Iterator[tuple[str, Place]]:
    for name, layer in layers_of(transformer).items():
        height, width = layer.weight.shape
        inside, _, last = name.rpartition(".")
        if last in _FUSED and getattr(transformer.get_submodule(inside), "fused_projections", False):
            third = height // 3
            for number, part in enumerate(_FUSED[last]):
                yield f"{inside}.{part}", Place(name, number * third, (number + 1) * third, width)
        else:
            yield name, Place(name, 0, height, width)


def put(layer: Any, matrices: tuple[Tensor, Tensor, Tensor] | None) -> None:
    """Have a layer add a product from now on, or none."""
    for name, matrix in zip(_BUFFERS, matrices or (None, None, None), strict=True):
        setattr(layer, name, matrix)


def numbers(weights: tuple[float, ...], ranks: tuple[int, ...], like: Tensor) -> Tensor:
    """Return the scale of a product that several LoRAs share: each one's weight as often as it has ranks."""
    listed = [weight for weight, rank in zip(weights, ranks, strict=True) for _ in range(rank)]
    return torch.tensor(listed, dtype=like.dtype, device=like.device)
