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
from worker.models.adapters.finding import Finder
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
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep compiled kernels for the session."""
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save the tiny Kontext with random weights, which show every difference in a seed or a neighbour."""
    return saved(MODELS["tiny-kontext"], tmp_path_factory)


@pytest.fixture(scope="session")
def load(device: torch.device, tiny: Path, kernels: Path) -> Load:
    """Load the tiny Kontext, as a worker does, with settings such as `profile="fast"`."""
    return loader(MODELS["tiny-kontext"], tiny, device, kernels)


def saved(spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a tiny model; return its folder."""
    folder = tmp_path_factory.mktemp("tiny") / "model"
    save_tiny(spec, folder)
    return folder


def loader(spec: ModelSpec, folder: Path, device: torch.device, kernels: Path) -> Load:
    """Return what loads a saved model."""

    def load(*, takes_loras: bool = True, **settings: object) -> PipelineEditor:
        given = {"diffuser_model_name": spec.name, "image_gen_task": spec.tasks[0], **settings}
        profile = load_settings(**given).profile_on(gpu=device.type == "cuda")
        if profile.compiled:
            require_compiler()
        if profile.fp8 and not multiplies_fp8(device):
            pytest.skip("needs a device that multiplies in fp8; of CPUs torch 2.13 is the first to do so")
        model = editor_of(spec).load(folder, profile, device=device, compile_cache=kernels, prompt_cache=2**22)
        if takes_loras:
            model.take_loras(Finder(), 2**24)
        return model

    return load
