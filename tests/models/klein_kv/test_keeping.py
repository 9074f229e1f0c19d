"""FLUX.2 [klein] KV calculates a row's references once, and keeps their keys and values for its own picture."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.jobs import edited, job, key
from worker.batching.jobs import EditJob
from worker.contract.buckets import Bucket
from worker.contract.catalog import MODELS, objection
from worker.contract.profiles import PROFILES
from worker.models.pipelines.editing import PipelineEditor
from worker.models.registry import editor_of, save_tiny

SPEC = MODELS["tiny-klein-kv"]
(KV,) = MODELS["FLUX.2-klein-KV"].checkpoints

SIZE, OTHER = Bucket(96, 64), Bucket(64, 80)
OF = key(SIZE, steps=4)._replace(references=(OTHER,))


def row(number: int) -> EditJob:
    """Make a row that has a reference of its own."""
    return job(number, SIZE)._replace(references=(job(9 * number, OTHER).image,))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PipelineEditor:
    """Load the tiny model as a worker does."""
    folder = tmp_path_factory.mktemp("kv")
    save_tiny(SPEC, folder)
    editor = editor_of(SPEC)
    profile, cpu = PROFILES["reference"], torch.device("cpu")
    return editor.load(folder, profile, device=cpu, compile_cache=Path(), prompt_cache=2**22)


def test_references_are_calculated_at_the_first_step_alone(model: PipelineEditor) -> None:
    """The first pass sees them and the picture, each later one the picture and what is kept of them, row by row."""
    transformer, passes, kept = model.pipeline.transformer, [], []

    def note_pass(_: object, __: object, kwargs: dict[str, Any]) -> None:
        passes.append(kwargs["hidden_states"].shape[:2])

    def note_kept(_: object, __: object, kwargs: dict[str, Any]) -> None:
        layer = kwargs["joint_attention_kwargs"]["kv_cache"]
        kept.append(None if layer.k_ref is None else layer.k_ref.shape[:2])

    block = transformer.single_transformer_blocks[0]
    hooks = [one.register_forward_pre_hook(note, with_kwargs=True) for one, note in
             ((transformer, note_pass), (block, note_kept))]  # fmt: skip
    edited(model, OF, [row(1), row(2)], 2)
    for hook in hooks:
        hook.remove()
    tokens = KV.network.tokens(SIZE, [SIZE, OTHER])
    made = tokens.own - 512
    assert passes == [(2, made + tokens.references), (2, made), (2, made), (2, made)]
    assert kept == [None, *[(2, tokens.references)] * 3]


def test_nothing_is_kept_from_call_to_call(model: PipelineEditor) -> None:
    """The same row is bitwise the same after rows with other references, in the same place."""
    before = edited(model, OF, [row(1)], 1)[0]
    edited(model, OF, [row(2)], 1)
    assert np.array_equal(edited(model, OF, [row(1)], 1)[0], before)


@pytest.mark.parametrize(
    ("index", "name", "holds"),
    [
        ({"_class_name": "Flux2KleinPipeline", "is_distilled": True}, "FLUX.2-klein-KV", "FLUX.2-klein"),
        ({"_class_name": "Flux2KleinPipeline"}, "FLUX.2-klein-KV", "FLUX.2-klein-base"),
        ({"_class_name": "Flux2KleinKVPipeline"}, "FLUX.2-klein", "FLUX.2-klein-KV"),
        ({"_class_name": "Flux2KleinKVPipeline", "is_distilled": True}, "FLUX.2-klein-base", "FLUX.2-klein-KV"),
    ],
)
def test_a_plain_checkpoint_and_a_kv_one_are_told_apart(index: dict[str, Any], name: str, holds: str) -> None:
    """By the class that the folder names, in one sentence that says which model it is."""
    assert objection(index, MODELS[name]) == (
        f"holds a {holds}; set FLEET_DIFFUSER_MODEL_NAME={holds} for it, or name one of {name}"
    )
