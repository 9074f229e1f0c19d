"""Every family of models as small as it comes: what is tested here holds for each."""

import pytest

from worker.contract.catalog import MODELS
from worker.contract.model_spec import ModelSpec

#: A family's tiny model, of random weights.
FAMILIES = ["tiny-kontext", "tiny-klein", "tiny-klein-base"]


@pytest.fixture(scope="session", params=FAMILIES)
def spec(request: pytest.FixtureRequest) -> ModelSpec:
    """Name one family after the other."""
    return MODELS[request.param]
