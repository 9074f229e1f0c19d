"""What tests of the models share: a tiny model on each device of this machine, and one cache of its kernels."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from tests.support.debian import require_compiler
from worker.contract.catalog import MODELS
from worker.contract.model_spec import ModelSpec
from worker.models.pipelines.editing import PipelineEditor
from worker.models.registry import editor_of, save_tiny
from worker.models.speed.fp8 import multiplies_fp8
from worker.settings.fleet import load_settings

#: Loads the tiny model with settings of its own.
Load = Callable[..., PipelineEditor]


@pytest.fixture(autouse=True)
def _no_fleet_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the settings of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("FLEET_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Compute on one thread: two that wait for each other crawl where other processes want the same cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session", params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Name the CPU, and a GPU where there is one."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    return torch.device(request.param)


@pytest.fixture(scope="session")
def gpu_thread() -> Iterator[Executor]:
    """Run a thread that lives as long as its process, as a worker's does: torch 2.11 may crash where it has ended."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture(scope="session")
def spec() -> ModelSpec:
    """Name the tiny Kontext; `tests/models/families` has every family in its place."""
    return MODELS["tiny-kontext"]


@pytest.fixture(scope="session")
def tiny(spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save the tiny model with random weights, which show every difference in a seed or a neighbour."""
    folder = tmp_path_factory.mktemp("tiny") / "model"
    save_tiny(spec, folder)
    return folder


@pytest.fixture(scope="session")
def load(device: torch.device, spec: ModelSpec, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Load the tiny model, as a worker does, with settings such as `profile="fast"`."""
    kernels = tmp_path_factory.mktemp("kernels")

    def load(**settings: object) -> PipelineEditor:
        profile = load_settings(diffuser_model_name=spec.name, **settings).profile_on(gpu=device.type == "cuda")
        if profile.compiled:
            require_compiler()
        if profile.fp8 and not multiplies_fp8(device):
            pytest.skip("needs a device that multiplies in fp8; of CPUs torch 2.13 is the first to do so")
        return editor_of(spec).load(tiny, profile, device=device, compile_cache=kernels, prompt_cache=2**22)

    return load
