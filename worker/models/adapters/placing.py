"""LoRAs that go together as one product for each layer, of sizes that few kernels are compiled for."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import torch
from torch import Tensor

from worker.models.adapters.layers import Place, kind_of
from worker.models.adapters.reading import Product

#: Ranks are filled up with zeros to a multiple of this: LoRAs of rank 4, 8 and 16 run in the same kernels.
_STEP: Final = 16


class Matrices(NamedTuple):
    """The product that a layer gets."""

    #: (ranks, in) and (out, ranks).
    down: Tensor
    up: Tensor
    #: How many of the ranks are each LoRA's.
    ranks: tuple[int, ...]


class Placed(NamedTuple):
    """LoRAs that go together, ready for the model."""

    layers: dict[str, Matrices]
    #: Bytes of the device's memory.
    nbytes: int
    #: What kernels are compiled for: ranks by kind of layer.
    layout: tuple[tuple[str, tuple[int, ...]], ...]


def place(loras: Sequence[Mapping[str, Product]], places: Mapping[str, Place], *, dtype: torch.dtype) -> Placed:
    """Put the products of LoRAs where the model's layers are, still on the CPU.

    All blocks get products of the same ranks, where need be of zeros, since they run in the same kernels.
    """
    fused = [_by_layer(lora, places) for lora in loras]
    heights = {place.layer: place.stop for place in places.values()}  # the last part of each layer has its end
    widths = {place.layer: place.width for place in places.values()}
    ranks: dict[str, list[int]] = defaultdict(lambda: [0] * len(loras))
    for number, layers in enumerate(fused):
        for layer, product in layers.items():
            ranks[kind_of(layer)][number] = max(ranks[kind_of(layer)][number], len(product.down))
    zeros: dict[tuple[int, int], Tensor] = {}
    found: dict[str, Matrices] = {}
    for layer in sorted(heights):
        if (kind := kind_of(layer)) not in ranks:
            continue
        parts = [layers.get(layer) for layers in fused]
        down, up = _together(parts, ranks[kind], (heights[layer], widths[layer]), dtype)
        if not any(parts):
            down, up = (zeros.setdefault((matrix.shape[0], matrix.shape[1]), matrix) for matrix in (down, up))
        found[layer] = Matrices(down, up, tuple(ranks[kind]))
    own = {id(matrix): matrix.nbytes for layer in found.values() for matrix in (layer.down, layer.up)}
    return Placed(found, sum(own.values()), tuple(sorted((kind, tuple(each)) for kind, each in ranks.items())))


def onto(placed: Placed, device: torch.device) -> Placed:
    """Return it on the device; what layers share stays shared."""
    moved: dict[int, Tensor] = {}

    def move(matrix: Tensor) -> Tensor:
        if id(matrix) not in moved:
            moved[id(matrix)] = matrix.to(device)
        return moved[id(matrix)]

    layers = {name: Matrices(move(one.down), move(one.up), one.ranks) for name, one in placed.layers.items()}
    return placed._replace(layers=layers)


def _by_layer(lora: Mapping[str, Product], places: Mapping[str, Place]) -> dict[str, Product]:
    """Fill products up, and join those of what is one layer here and several in files: each has its own rows."""
    parts: dict[str, list[str]] = defaultdict(list)
    for name in lora:
        parts[places[name].layer].append(name)
    heights = {one.layer: one.stop for one in places.values()}
    joined = {}
    for layer, names in parts.items():
        ranks = [-(-len(lora[name].down) // _STEP) * _STEP for name in names]
        down, up = torch.zeros(sum(ranks), places[names[0]].width), torch.zeros(heights[layer], sum(ranks))
        for name, begun in zip(names, accumulate(ranks, initial=0), strict=False):
            end = begun + len(lora[name].down)
            down[begun:end], up[places[name].start : places[name].stop, begun:end] = lora[name]
        joined[layer] = Product(down, up)
    return joined


def _together(
    parts: Sequence[Product | None], ranks: Sequence[int], size: tuple[int, int], dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Put the products of several LoRAs side by side, each filled up to its ranks."""
    height, width = size
    down, up = torch.zeros(sum(ranks), width, dtype=dtype), torch.zeros(height, sum(ranks), dtype=dtype)
    begun = 0
    for product, rank in zip(parts, ranks, strict=True):
        if product is not None:
            end = begun + len(product.down)
            down[begun:end], up[:, begun:end] = product
        begun += rank
    return down, up
