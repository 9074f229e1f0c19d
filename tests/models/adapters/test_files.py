"""What a LoRA's file may hold, and what is said of one that holds something else."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import FluxKontextPipeline
from safetensors.torch import save_file
from torch import Tensor

from tests.models.conftest import Load
from tests.models.weights.test_no_pickles import Trap
from tests.support.loras import lora, save
from worker.contract.errors import RowError
from worker.contract.lora import Lora
from worker.models.adapters.files import identity_of
from worker.models.adapters.layers import Place
from worker.models.adapters.reading import Product, products_of
from worker.models.pipelines.editing import PipelineEditor

LAYER = "transformer_blocks.0.attn.to_q"
PLACES = {LAYER: Place(LAYER, 0, 6, 8)}


def matrices(layer: str = LAYER, prefix: str = "transformer.") -> dict[str, Tensor]:
    """Make the two of a layer, of rank 4."""
    return {
        f"{prefix}{layer}.lora_A.weight": torch.arange(32.0).reshape(4, 8),
        f"{prefix}{layer}.lora_B.weight": torch.arange(24.0).reshape(6, 4),
    }


def read(folder: Path, weights: dict[str, Tensor], header: dict[str, str] | None = None) -> dict[str, Product]:
    """Write a file, and read it for a Kontext."""
    save_file(weights, folder / "a.safetensors", metadata=header)
    return products_of(folder / "a.safetensors", "o/a", FluxKontextPipeline, PLACES)


def scale(found: dict[str, Product]) -> float:
    """Return the factor with which the second matrix was taken."""
    return float(found[LAYER].up[0, 1])


@pytest.fixture(scope="module")
def model(load: Load) -> PipelineEditor:
    """Load a model."""
    return load()


def configuration(**facts: Any) -> dict[str, str]:
    """Return a header as diffusers writes it, with peft's configuration."""
    return {"lora_adapter_metadata": json.dumps({f"transformer.{key}": value for key, value in facts.items()})}


@pytest.mark.parametrize(
    ("more", "header", "factor"),
    [
        ({}, {}, 1.0),
        ({f"transformer.{LAYER}.alpha": torch.tensor(2.0)}, {}, 0.5),
        ({}, configuration(r=4, lora_alpha=8), 2.0),
        ({}, configuration(r=4, lora_alpha=8, use_rslora=True), 4.0),
        ({}, configuration(r=4, lora_alpha=8, alpha_pattern={"attn.to_q": 1}), 0.25),
        ({}, configuration(r=4, lora_alpha=8, alpha_pattern={"attn.to_k": 1}), 2.0),
    ],
)
def test_a_product_counts_as_its_file_says(
    tmp_path: Path, more: dict[str, Tensor], header: dict[str, str], factor: float
) -> None:
    """By alpha for its rank, of a tensor or of peft's configuration."""
    assert scale(read(tmp_path, matrices() | more, header)) == factor


@pytest.mark.parametrize(
    "facts", [{"lora_alpha": "much"}, {"alpha_pattern": [1]}, {"alpha_pattern": {"to_q": "much"}}], ids=repr
)
def test_a_configuration_without_numbers_is_refused(tmp_path: Path, facts: dict[str, Any]) -> None:
    """Whoever wrote the file can have written anything."""
    with pytest.raises(RowError, match="is none for this model, or of a format that is not known"):
        read(tmp_path, matrices(), configuration(r=4, **facts))


def test_a_name_of_the_configuration_is_no_regular_expression(tmp_path: Path) -> None:
    """One of a stranger's could take for ever."""
    assert scale(read(tmp_path, matrices(), configuration(r=4, alpha_pattern={"([a-z_.0-9]+)+!": 8}))) == 1.0


def test_other_trainers_files_are_read(tmp_path: Path) -> None:
    """Kohya's names are diffusers' to translate; and a file may leave the part's name out."""
    assert scale(read(tmp_path, matrices(prefix=""))) == 1.0
    kohya = {
        "lora_unet_double_blocks_0_img_attn_proj.lora_down.weight": torch.ones(4, 8),
        "lora_unet_double_blocks_0_img_attn_proj.lora_up.weight": torch.ones(6, 4),
        "lora_unet_double_blocks_0_img_attn_proj.alpha": torch.tensor(2.0),
    }
    save_file(kohya, tmp_path / "a.safetensors")
    places = {"transformer_blocks.0.attn.to_out.0": Place("", 0, 6, 8)}
    ((_, product),) = products_of(tmp_path / "a.safetensors", "o/a", FluxKontextPipeline, places).items()
    assert torch.allclose(product.up @ product.down, torch.full((6, 8), 2.0))  # 4 ranks, by half


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ({}, "holds no LoRA."),
        ({"unet.conv_in.weight": torch.ones(2, 2)}, "holds unet.conv_in.weight, which is no part of a plain LoRA."),
        ({"lora_unet_a.lora_down.weight": torch.ones(2, 2)}, "is none for this model, or of a format that is not kn"),
        (matrices() | {f"transformer.{LAYER}.lora_magnitude_vector": torch.ones(6)}, "is a DoRA, and only plain LoRA"),
        ({f"{LAYER}.lokr_w1": torch.ones(2, 2)}, "is a LoKr, and only plain LoRAs are taken."),
        (matrices() | {f"transformer.{LAYER}.lora_B.bias": torch.ones(6)}, f"holds transformer.{LAYER}.lora_B.bias, "),
        (matrices() | {"text_encoder.a.lora_A.weight": torch.ones(2, 2)}, "changes the text encoder, too, which is n"),
        ({f"transformer.{LAYER}.lora_A.weight": torch.ones(4, 8)}, f"is incomplete; of {LAYER} it lacks one of two"),
        (matrices("norm_out.linear"), "is for another model; this one has no layer norm_out.linear."),
        (
            {name: weight[:, :3].contiguous() for name, weight in matrices().items()},
            f"is for another model; its {LAYER} is 3 by 6, and this one's is 8 by 6.",
        ),
        ({name: weight * torch.inf for name, weight in matrices().items()}, f"is damaged; in {LAYER} it has numbers"),
    ],
)
def test_what_is_no_lora_for_the_model_says_why(tmp_path: Path, weights: dict[str, Tensor], sentence: str) -> None:
    """In one sentence; nothing of a file is left out without a word."""
    with pytest.raises(RowError) as refused:
        read(tmp_path, weights)
    assert str(refused.value).startswith(f"lora o/a: {sentence}")
    assert "\n" not in str(refused.value)


def test_pickled_weights_are_refused_unread(model: PipelineEditor, tmp_path: Path) -> None:
    """Whatever their file is called, nothing is unpickled: as torch writes them, and bare."""
    trap = tmp_path / "sprung"
    torch.save({"a": Trap(trap)}, tmp_path / "torch.safetensors")
    (tmp_path / "bare.safetensors").write_bytes(pickle.dumps(Trap(trap)))
    for name in ("torch", "bare"):
        file = tmp_path / f"{name}.safetensors"
        with pytest.raises(RowError, match=rf"^lora {file}: holds pickled weights, which run code when they are read;"):
            model.adapters([Lora(str(file), 1.0)])
    assert not trap.exists()


def test_a_worker_without_room_for_any_takes_none(load: Load) -> None:
    """The sentence names the setting."""
    with pytest.raises(RowError, match=r"^lora o/a: this worker takes none; set FLEET_LORA_CACHE to some MiB\.$"):
        load(takes_loras=False).adapters([Lora("o/a", 1.0)])


def test_what_is_no_file_says_why(model: PipelineEditor, tmp_path: Path) -> None:
    """One that is not there, is damaged or something else, and a pipe, which would never end."""
    file = save(model.pipeline, lora(model.pipeline.transformer, 1), tmp_path / "whole")
    (tmp_path / "cut.safetensors").write_bytes(file.read_bytes()[:5000])
    (tmp_path / "picture.safetensors").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (tmp_path / "empty.safetensors").touch()
    os.mkfifo(tmp_path / "pipe.safetensors")
    for name, sentence in (
        ("absent", "no such file."),
        ("cut", "its file is damaged ("),
        ("picture", "is no safetensors file."),
        ("empty", "is no safetensors file."),
        ("pipe", "is no file."),
    ):
        with pytest.raises(RowError) as refused:
            model.adapters([Lora(f"{tmp_path}/{name}.safetensors", 1.0)])
        assert str(refused.value).startswith(f"lora {tmp_path}/{name}.safetensors: {sentence}")


def test_a_file_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    """A copy is the same, wherever it lies; one that was changed is another, and is read again."""
    one, copy = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file(matrices(), one)
    copy.write_bytes(one.read_bytes())
    before = identity_of(one, "a")
    assert identity_of(copy, "b") == before
    save_file({name: weight + 1 for name, weight in matrices().items()}, one)
    assert identity_of(one, "a") != before
