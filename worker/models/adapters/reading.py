"""A LoRA's file as products of matrices by the model's layers, whatever trainer has written it."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from diffusers.utils.state_dict_utils import convert_unet_state_dict_to_peft
from torch import Tensor

from worker.contract.errors import RowError, one_line
from worker.models.adapters.files import tensors_of
from worker.models.adapters.layers import Place

#: Marks of names that stand for other kinds of adapters, whose weights diffusers would drop, or convert with losses.
_OTHER_KINDS: Final = {
    "dora_scale": "DoRA", "lora_magnitude_vector": "DoRA", "lokr_": "LoKr", "hada_": "LoHa", "oft_": "OFT",
    "lora_mid": "LoCon",
}  # fmt: skip

#: The key of a header under which diffusers keeps the configuration of peft.
_CONFIGURATION: Final = "lora_adapter_metadata"

_PART: Final = "transformer."
_MATRIX: Final = re.compile(r"(.+)\.lora_([AB])\.(?:default\.)?weight")


class Product(NamedTuple):
    """What is added to a layer's weight, `up · down`, its own scale included."""

    #: (rank, in) and (out, rank), in fp32 on the CPU.
    down: Tensor
    up: Tensor


def products_of(path: Path, name: str, loader: Any, places: Mapping[str, Place]) -> dict[str, Product]:
    """Return the products in a file, by the layer; `loader` is the pipeline's class, which knows the trainers' formats.

    Raises:
        RowError: the file is damaged, holds something else than a LoRA, or one of another model.

    """
    tensors, header = tensors_of(path, name)
    for key in tensors:
        if kind := next((kind for mark, kind in _OTHER_KINDS.items() if mark in key), None):
            raise RowError(f"lora {name}: is a {kind}, and only plain LoRAs are taken.")
    try:
        weights, alphas = _converted(tensors, loader)
        scales = _Scales(alphas, json.loads(header.get(_CONFIGURATION, "{}")))
    except Exception as error:  # each format has a converter of its own, which takes its own for granted
        reason = one_line(f"{type(error).__name__}: {error}", 200)
        raise RowError(f"lora {name}: is none for this model, or of a format that is not known ({reason}).") from None
    matrices = _matrices(weights, name)
    if not matrices:
        raise RowError(f"lora {name}: holds no LoRA.")
    return {layer: _product(layer, pair, scales, places.get(layer), name) for layer, pair in matrices.items()}


def _converted(tensors: dict[str, Tensor], loader: Any) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return a file's tensors under diffusers' names, and its alphas; what a converter has scaled has none left."""
    found = loader.lora_state_dict(dict(tensors), return_alphas=True)
    weights, alphas = found if isinstance(found, tuple) else (found, {})
    alphas = {**(alphas or {}), **{key: weight for key, weight in weights.items() if key.endswith(".alpha")}}
    weights = {key: weight for key, weight in weights.items() if key not in alphas}
    if weights and not any(".lora_A." in key for key in weights):
        weights = convert_unet_state_dict_to_peft(weights)
    return weights, {key.removeprefix(_PART).removesuffix(".alpha"): float(alpha) for key, alpha in alphas.items()}


def _matrices(weights: Mapping[str, Tensor], name: str) -> dict[str, dict[str, Tensor]]:
    """Sort a file's tensors by layer: of each it has A, which goes down, and B, which goes up."""
    found: dict[str, dict[str, Tensor]] = {}
    for key, weight in weights.items():
        if key.startswith("text_encoder"):
            raise RowError(f"lora {name}: changes the text encoder, too, which is not done here.")
        if (matrix := _MATRIX.fullmatch(key.removeprefix(_PART))) is None or weight.ndim != 2:  # noqa: PLR2004 - a matrix
            raise RowError(f"lora {name}: holds {one_line(key, 100)}, which is no part of a plain LoRA.")
        found.setdefault(matrix[1], {})[matrix[2]] = weight
    return found


class _Scales:
    """What a file says of how much each product counts."""

    def __init__(self, alphas: Mapping[str, float], configuration: Mapping[str, Any]) -> None:
        """Take peft's `configuration`, its keys behind the part's name, as diffusers saves it."""
        self._alphas = alphas
        own = {key.removeprefix(_PART): value for key, value in configuration.items() if key.startswith(_PART)}
        self._alpha = None if own.get("lora_alpha") is None else float(own["lora_alpha"])
        # peft's are regular expressions, and a stranger's could be one that never ends; what is written are names.
        self._patterns = {str(key): float(alpha) for key, alpha in (own.get("alpha_pattern") or {}).items()}
        self._by_root = bool(own.get("use_rslora"))

    def of(self, layer: str, rank: int) -> float:
        """Return the factor of a layer's product: alpha by rank, as peft has it; 1 where nothing is said."""
        if layer in self._alphas:
            return self._alphas[layer] / rank
        patterns = (alpha for key, alpha in self._patterns.items() if f".{layer}".endswith(f".{key}"))
        alpha = next(patterns, self._alpha)
        return 1.0 if alpha is None else alpha / (math.sqrt(rank) if self._by_root else rank)


def _product(layer: str, pair: Mapping[str, Tensor], scales: _Scales, place: Place | None, name: str) -> Product:
    if place is None:
        raise RowError(f"lora {name}: is for another model; this one has no layer {one_line(layer, 100)}.")
    if pair.keys() != {"A", "B"}:
        raise RowError(f"lora {name}: is incomplete; of {layer} it lacks one of two matrices.")
    down, up = pair["A"].float(), pair["B"].float()
    sizes, own = (down.shape[1], up.shape[0]), (place.width, place.stop - place.start)
    if sizes != own:
        raise RowError(f"lora {name}: is for another model; its {layer} is {_by(sizes)}, and this one's is {_by(own)}.")
    if down.shape[0] != up.shape[1]:
        raise RowError(f"lora {name}: is damaged; the two matrices of {layer} do not go together.")
    up = up * scales.of(layer, down.shape[0])
    if not all(bool(torch.isfinite(matrix).all()) for matrix in (down, up)):
        raise RowError(f"lora {name}: is damaged; in {layer} it has numbers that are none.")
    return Product(down, up)


def _by(sizes: Iterable[int]) -> str:
    return " by ".join(map(str, sizes))
