"""Embeddings of instructions are made once, and kept within their bytes."""

import numpy as np
import torch

from tests.models.conftest import Load
from tests.support.jobs import edited, job, key
from worker.contract.model_spec import ModelSpec
from worker.models.pipelines.editing import PipelineEditor
from worker.models.pipelines.prompts import Prompts


def counted(model: PipelineEditor) -> list[int]:
    """Return a list that grows with each call of the first text encoder by the number of its instructions."""
    batches: list[int] = []

    def note(_: object, args: tuple[torch.Tensor, ...], kwargs: dict[str, torch.Tensor]) -> None:
        batches.append(len(args[0] if args else kwargs["input_ids"]))

    model.pipeline.text_encoder.register_forward_pre_hook(note, with_kwargs=True)
    return batches


def test_an_instruction_that_comes_again_is_not_embedded_again(spec: ModelSpec, load: Load) -> None:
    """Over batches, within a batch and as a negative instruction, each is embedded once, and by itself.

    Where the encoder sees a row's picture, it is embedded for each picture, and so is the empty one.
    """
    model = load()
    batches = counted(model)
    model.edit(key(steps=1), [job(1), job(2), job(1)], 4)
    model.edit(key(steps=1), [job(2), job(3)], 4)
    if spec.guided != "none":
        model.edit(key(steps=1, true_cfg_scale=2.0), [job(1, negative=job(3).prompt), job(2, negative="")], 4)
    # 1, 2, 3 and the empty one; for Qwen an empty one for each of the three pictures, and what a row names for its own.
    assert batches == [1] * (7 if spec.family == "qwen" else 3 + (spec.guided != "none"))


def test_a_kept_embedding_gives_the_same_picture(load: Load) -> None:
    """The pixels are bitwise those of a model that has never seen the instruction."""
    model = load()
    edited(model, key(steps=1), [job(1), job(2)], 2)
    assert np.array_equal(
        edited(model, key(steps=1), [job(2), job(1)], 2), edited(load(), key(steps=1), [job(2), job(1)], 2)
    )


def test_what_was_used_last_is_kept(load: Load) -> None:
    """With room for two, the one that was not used for the longest time goes; with room for none, nothing is kept."""
    model = load()
    batches = counted(model)
    room = 2 * sum(one.nbytes for one in Prompts(model.embedding, 0).embed(["a"]))
    prompts = Prompts(model.embedding, room)
    batches.clear()
    for prompt, made in (("a", 1), ("b", 2), ("a", 2), ("c", 3), ("a", 3), ("b", 4)):
        prompts.embed([prompt])
        assert len(batches) == made, prompt
    Prompts(model.embedding, room // 2 - 1).embed(["a", "a"])
    assert len(batches) == 6
