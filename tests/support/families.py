"""The real model whose checkpoints a tiny one stands in for."""

from typing import Final

from worker.contract.catalog import MODELS
from worker.contract.model_spec import ModelSpec

#: Models whose weights come from the hub.
REAL: Final = [name for name, spec in MODELS.items() if spec.source == "hub"]


def fits(spec: ModelSpec, name: str) -> bool:
    """Tell whether a real model's checkpoints have the same classes and kind as a tiny one's."""
    return (MODELS[name].pipeline, MODELS[name].distilled) == (spec.pipeline, spec.distilled)
