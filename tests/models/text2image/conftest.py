"""Every model that makes pictures from instructions alone, as small as it comes."""

from pathlib import Path

import pytest
import torch

from tests.models.conftest import Load, loader, saved
from worker.contract.catalog import MODELS
from worker.contract.model_spec import ModelSpec

#: Their tiny models, of random weights. The base's transformer is tiny-klein's.
MAKERS = [
    pytest.param(name, marks=[pytest.mark.thorough] if name == "tiny-klein-base" else [])
    for name, spec in MODELS.items()
    if spec.source == "random" and "text2image" in spec.tasks
]


@pytest.fixture(scope="session", params=MAKERS)
def spec(request: pytest.FixtureRequest) -> ModelSpec:
    """Name one model after the other."""
    return MODELS[request.param]


# Both stand here again, as for the families: pytest would take those of the tests outside for every model's.
@pytest.fixture(scope="session")
def tiny(spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save the model."""
    return saved(spec, tmp_path_factory)


@pytest.fixture(scope="session")
def load(spec: ModelSpec, tiny: Path, device: torch.device, kernels: Path) -> Load:
    """Load it, as a worker does, with settings such as `step_interval=2`."""
    return loader(spec, tiny, device, kernels)
