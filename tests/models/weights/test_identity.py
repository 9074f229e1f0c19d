"""Weights are known again wherever they lie."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from worker.models.demo import CHECKPOINT
from worker.models.weights.identity import identity_of


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy the demo model's checkpoint to another place."""
    return shutil.copytree(CHECKPOINT, tmp_path / "elsewhere/copy")


def test_a_copy_is_the_same(copy: Path) -> None:
    """Also with files beside it that nobody loads."""
    (copy / "README.md").write_text("mine")
    (copy / "transformer/model.fp16.safetensors").write_bytes(b"another variant")
    assert identity_of(copy) == identity_of(CHECKPOINT)


def _moved(copy: Path) -> None:
    """Change one number in a hundred of the weights, as a step of training changes all."""
    file = next((copy / "transformer").glob("*.safetensors"))
    content = bytearray(file.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    for at in range(start, len(content), 200):
        content[at] ^= 1
    file.write_bytes(content)


def _configured(copy: Path) -> None:
    file = copy / "scheduler/scheduler_config.json"
    file.write_text(file.read_text().replace("{", '{"shift": 9.5,', 1))


def _longer(copy: Path) -> None:
    with next((copy / "vae").glob("*.safetensors")).open("ab") as file:
        file.write(b"\0")


@pytest.mark.parametrize("change", [_moved, _configured, _longer])
def test_other_weights_or_another_configuration_are_not(copy: Path, change: Callable[[Path], None]) -> None:
    """Each of them makes other pictures."""
    change(copy)
    assert identity_of(copy) != identity_of(CHECKPOINT)
