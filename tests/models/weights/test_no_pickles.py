"""Weights are numbers: a checkpoint whose files would run code when they are read is refused unread."""

import pickle
import shutil
from pathlib import Path

import pytest
import torch

from worker.contract.errors import ModelError
from worker.models.demo import CHECKPOINT
from worker.models.weights.loading import load_pipeline


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._path,)


@pytest.mark.parametrize(
    ("part", "weights", "pickled"),
    [
        ("transformer", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"),
        ("vae", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"),
        ("text_encoder", "model.safetensors", "pytorch_model.bin"),
        ("text_encoder_2", "model.safetensors", "pytorch_model.bin"),
    ],
)
def test_a_pickled_checkpoint_is_refused_unread(tmp_path: Path, part: str, weights: str, pickled: str) -> None:
    """Where a part of the model is there as a pickle only, the model is refused, and the pickle is not opened."""
    folder = tmp_path / "model"
    shutil.copytree(CHECKPOINT, folder)
    (folder / part / weights).unlink()
    trap = tmp_path / "sprung"
    (folder / part / pickled).write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(ModelError, match=r"^The weights in .* are incomplete"):
        load_pipeline(folder, torch.device("cpu"))
    assert not trap.exists()


def test_the_trap_springs(tmp_path: Path) -> None:
    """Unpickling would have left a trace."""
    trap = tmp_path / "sprung"
    pickle.loads(pickle.dumps(Trap(trap)))  # noqa: S301 - our own
    assert trap.exists()
