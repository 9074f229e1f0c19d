"""Every family of models as small as it comes: what is tested here holds for each."""

from pathlib import Path

import pytest
import torch

from tests.models.conftest import Load, loader, saved
from worker.contract.catalog import MODELS
from worker.contract.model_spec import ModelSpec

#: A family's tiny model, of random weights. The base's transformer is tiny-klein's; two passes have others, too.
FAMILIES = [
    "tiny-kontext",
    "tiny-klein",
    pytest.param("tiny-klein-base", marks=pytest.mark.thorough),
    "tiny-klein-kv",
    "tiny-qwen",
]


@pytest.fixture(scope="session", params=FAMILIES)
def spec(request: pytest.FixtureRequest) -> ModelSpec:
    """Name one family after the other."""
    return MODELS[request.param]


# Both stand here again: pytest would take those of the tests outside, once they were made, for every family's.
@pytest.fixture(scope="session")
def tiny(spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save the family's tiny model."""
    return saved(spec, tmp_path_factory)


@pytest.fixture(scope="session")
def load(spec: ModelSpec, tiny: Path, device: torch.device, kernels: Path) -> Load:
    """Load it, as a worker does, with settings such as `profile="fast"`."""
    return loader(spec, tiny, device, kernels)
