"""Whether a checkpoint's files hold the weights that its configuration asks for; their headers alone are read."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from diffusers import ModelMixin
from safetensors import safe_open
from torch import nn

from worker.contract.errors import ModelError


def require_complete(folder: Path) -> int:
    """Return how many numbers the weights of a checkpoint are.

    The libraries would fill what is missing with random numbers, and leave out what is too much.

    Raises:
        ModelError: a part's files hold more or fewer than its configuration has.

    """
    numbers = 0
    for part, model in _parts(folder):
        # A name such as model.fp16.safetensors is another variant of the same weights, which is not loaded.
        files = [file for file in (folder / part).glob("*.safetensors") if "." not in file.stem]
        there = sum(_numbers_in(file) for file in files)
        named = dict(model.named_parameters(remove_duplicate=False))
        # Such as the statistics of a batch norm: no parameters, and as bad as weights where they are missing.
        kept = sum(
            kept.numel() for name, kept in model.state_dict().items() if name not in named and kept.is_floating_point()
        )
        needed = kept + sum(weight.numel() for weight in model.parameters())
        # Weights with two names are one in the model; some files hold them twice.
        if not needed <= there <= kept + sum(weight.numel() for weight in named.values()):
            raise ModelError(
                f"The weights in {folder / part} are incomplete or of another architecture: its configuration needs"
                f" {needed:,} numbers, and the files hold {there:,}; download them again."
            )
        numbers += there
    return numbers


def _parts(folder: Path) -> Iterator[tuple[str, nn.Module]]:
    """Make every part that has weights, without memory for them."""
    index: dict[str, Any] = json.loads((folder / "model_index.json").read_text())
    for part, (library, name) in ((part, where) for part, where in index.items() if isinstance(where, list)):
        if library not in {"diffusers", "transformers"}:
            continue
        kind: Any = getattr(importlib.import_module(library), name)
        if issubclass(kind, nn.Module):  # tokenizers and the scheduler have no weights
            yield part, _weightless(kind, folder / part)


def _weightless(kind: Any, folder: Path) -> nn.Module:
    with torch.device("meta"):
        model: nn.Module = (
            kind.from_config(kind.load_config(folder))
            if issubclass(kind, ModelMixin)
            else kind(kind.config_class.from_pretrained(folder))
        )
    return model


def _numbers_in(file: Path) -> int:
    with safe_open(file, framework="pt") as tensors:
        slices = [tensors.get_slice(name) for name in tensors.keys()]  # noqa: SIM118 - it is no mapping
        return sum(torch.Size(tensor.get_shape()).numel() for tensor in slices if "F" in tensor.get_dtype())
