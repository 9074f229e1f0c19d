"""What the doctor finds wrong with a checkpoint, without reading a tensor."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from producer.doctor.checkpoint import trouble_with, weight_bytes
from worker.contract.catalog import MODELS
from worker.models.demo import CHECKPOINT

DEMO = MODELS["demo"]
WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copy the demo model."""
    return Path(shutil.copytree(CHECKPOINT, tmp_path / "model"))


def test_the_demo_model_is_whole() -> None:
    """It comes with the package; its weights are weighed."""
    assert trouble_with(CHECKPOINT, DEMO) is None
    assert weight_bytes(CHECKPOINT) == sum(path.stat().st_size for path in CHECKPOINT.glob("*/*.safetensors"))


def cut(folder: Path) -> None:
    """Leave half of a file, as a copy that was interrupted."""
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])


def sharded(folder: Path) -> None:
    """Name two files in an index, of which one is there."""
    file = folder / WEIGHTS
    file.rename(file.with_name("model-1.safetensors"))
    names = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    (file.parent / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))


def other(folder: Path) -> None:
    """Make it another model."""
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (cut, f"is incomplete: {WEIGHTS} has "),
        (sharded, "is incomplete: no transformer/model-2.safetensors"),
        (other, "holds a StableDiffusionPipeline, where demo is a FluxKontextPipeline"),
        (lambda folder: (folder / "model_index.json").unlink(), "holds no diffusers model"),
        (lambda folder: shutil.rmtree(folder / "tokenizer_2"), "is incomplete: no tokenizer_2"),
        (lambda folder: (folder / WEIGHTS).unlink(), "is incomplete: no transformer/*.safetensors"),
        (lambda folder: (folder / WEIGHTS).write_bytes(b"<html>not found</html>"), f"{WEIGHTS} is damaged"),
        (lambda folder: (folder / WEIGHTS).write_bytes(b""), f"{WEIGHTS} is damaged"),
    ],
)
def test_what_is_missing_or_cut_is_named(folder: Path, harm: Callable[[Path], object], sentence: str) -> None:
    """With the file, and what is wrong with it."""
    harm(folder)
    assert sentence in str(trouble_with(folder, DEMO))
