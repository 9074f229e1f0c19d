"""The tiny Qwen-Image-Edit on the CPU."""

from pathlib import Path

import pytest
import torch

from worker.contract.catalog import MODELS
from worker.contract.profiles import PROFILES
from worker.models.pipelines.editing import PipelineEditor
from worker.models.registry import editor_of, save_tiny


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save the tiny model."""
    path = tmp_path_factory.mktemp("qwen") / "model"
    save_tiny(MODELS["tiny-qwen"], path)
    return path


@pytest.fixture(scope="session")
def model(folder: Path) -> PipelineEditor:
    """Load it as a worker does."""
    editor = editor_of(MODELS["tiny-qwen"])
    return editor.load(
        folder, PROFILES["reference"], device=torch.device("cpu"), compile_cache=folder, prompt_cache=2**24
    )
