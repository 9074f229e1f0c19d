"""A checkpoint is loaded whole and in one type, or refused in one sentence."""

import json
import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from worker.contract.errors import ModelError
from worker.models.demo import CHECKPOINT
from worker.models.weights.loading import load_pipeline


@pytest.fixture
def folder(tiny: Path, tmp_path: Path) -> Path:
    """Copy the tiny model, for a test to damage: its numbers stay where the shipped one is trained anew."""
    return Path(shutil.copytree(tiny, tmp_path / "model"))


def configured(part: str, **changes: object) -> Callable[[Path], None]:
    """Make a change of a part's configuration."""

    def change(folder: Path) -> None:
        config = folder / part / "config.json"
        config.write_text(json.dumps(json.loads(config.read_text()) | changes))

    return change


def cut(folder: Path) -> None:
    """Cut the transformer's file in half, as a download does that was broken off."""
    file = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def test_weights_arrive_in_one_type_on_the_device(device: torch.device, caplog: pytest.LogCaptureFixture) -> None:
    """Every part of the shipped model is there, bf16 on a GPU and fp32 on a CPU; the log has bytes and their rate."""
    with caplog.at_level(logging.INFO):
        pipeline = load_pipeline(CHECKPOINT, device)
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    for part in (pipeline.transformer, pipeline.vae, pipeline.text_encoder, pipeline.text_encoder_2):
        assert {(weight.device.type, weight.dtype) for weight in part.parameters()} == {(device.type, dtype)}
    assert re.search(r"weights: checkpoint onto .* \(0\.01 GB in [\d.]+ s, [\d.]+ GB/s\)", caplog.text)


def test_a_second_variant_beside_the_weights_is_no_obstacle(folder: Path) -> None:
    """Files such as model.fp16.safetensors are not loaded, and not counted."""
    shutil.copy(folder / "text_encoder/model.safetensors", folder / "text_encoder/model.fp16.safetensors")
    load_pipeline(folder, torch.device("cpu"))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (configured("transformer", num_layers=3), "configuration needs 643,264 numbers, and the files hold 344,256"),
        (configured("transformer", num_single_layers=1), "needs 282,048 numbers, and the files hold 344,256"),
        (configured("transformer", in_channels=384), r"model/transformer are incomplete or of another architecture"),
        (configured("transformer", guidance_embeds=False), "needs 323,648 numbers, and the files hold 344,256"),
        (configured("vae", latent_channels=4), r"model/vae are incomplete or of another architecture"),
        (configured("text_encoder", hidden_size=128), r"model/text_encoder are incomplete"),
        # transformers alone would fill in two layers of noise here, and leave one out there.
        (configured("text_encoder_2", num_layers=4), r"model/text_encoder_2 are incomplete"),
        (configured("text_encoder_2", num_layers=1), r"model/text_encoder_2 are incomplete"),
        (cut, r"model cannot be loaded \(Error while deserializing header: incomplete metadata"),
    ],
)
def test_a_checkpoint_of_another_architecture_is_refused(
    folder: Path, change: Callable[[Path], None], sentence: str
) -> None:
    """Weights that are missing, too many or of another shape end the start, with both numbers."""
    change(folder)
    with pytest.raises(ModelError, match=sentence) as refused:
        load_pipeline(folder, torch.device("cpu"))
    assert str(refused.value).endswith("; download them again.")
    assert "\n" not in str(refused.value)
