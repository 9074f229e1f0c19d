"""The shipped checkpoint: what it holds, and what it reads. That its rows do not depend on neighbours: test_fleet."""

import json
from typing import Any

import pytest
import torch
from diffusers import FluxKontextPipeline
from safetensors import safe_open

from worker.models.demo import CHECKPOINT
from worker.models.demo.edits import EDITS


@pytest.fixture(scope="module")
def pipeline() -> Any:
    """Load the checkpoint with diffusers alone, in one type: unasked, transformers would keep the file's bf16."""
    pipeline = FluxKontextPipeline.from_pretrained(
        CHECKPOINT, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def test_it_is_small_and_holds_no_pickle() -> None:
    """All of it takes 8 MB at most: JSON, safetensors in bf16, a model card and its contact sheet."""
    files = [path for path in CHECKPOINT.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 8_000_000
    assert {path.suffix for path in files} == {".json", ".safetensors", ".md", ".jpg"}
    weights = [path for path in files if path.suffix == ".safetensors"]
    assert len(weights) == 4
    for path in weights:
        with safe_open(path, framework="pt") as tensors:
            assert {tensors.get_tensor(name).dtype for name in tensors.keys()} == {torch.bfloat16}  # noqa: SIM118 - no mapping


def test_it_is_a_kontext_of_diffusers_own_classes() -> None:
    """The index names diffusers' and transformers' classes, and no code of the project's."""
    index = json.loads((CHECKPOINT / "model_index.json").read_text())
    assert index["_class_name"] == "FluxKontextPipeline"
    assert {value[0] for value in index.values() if isinstance(value, list)} <= {"diffusers", "transformers", None}


def test_the_model_card_has_a_line_for_every_edit() -> None:
    """The card's table was made for the edits that there are."""
    card = (CHECKPOINT / "README.md").read_text()
    assert [name for name in EDITS if f"| {name} |" not in card] == []
    assert "{" not in card


@pytest.mark.parametrize("prompt", ["", " ", "日本🎉" * 300, "<|endoftext|></s>!", "\x00\n\u202e"])
def test_any_text_can_be_encoded(pipeline: Any, prompt: str) -> None:
    """Empty, long and unusual instructions become embeddings of the usual shape, without a NaN."""
    embeddings, pooled, _ = pipeline.encode_prompt(prompt=prompt, prompt_2=None, max_sequence_length=512)
    assert (embeddings.shape, pooled.shape) == ((1, 512, 64), (1, 64))
    assert embeddings.isfinite().all()
    assert pooled.isfinite().all()
