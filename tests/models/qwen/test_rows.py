"""Qwen-Image-Edit edits rows of a call as diffusers' own pipeline edits one, whatever their instructions' lengths."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus as plus
from PIL import Image

from tests.models.qwen.rows import OTHER, SIZE, of_references, with_references
from tests.support.jobs import edited, job, key
from worker.batching.jobs import EditJob
from worker.contract.buckets import QWEN_BUCKETS
from worker.contract.families.qwen import TOKENS
from worker.contract.profiles import PROFILES
from worker.models.pipelines.editing import PipelineEditor
from worker.models.qwen.architecture import TINY
from worker.models.qwen.editor import Qwen
from worker.models.qwen.random_weights import random_pipeline

CPU = torch.device("cpu")


def by_diffusers(model: PipelineEditor, row: EditJob, scale: float) -> np.ndarray[Any, Any]:
    """Edit a row with diffusers' pipeline as it is; what its encoder reads is ours, without padding."""
    pictures = (row.image, *row.references)
    states, negative = (
        model.embedding(text, *pictures)[0][:, : model.reading(text).tokens - TOKENS or None]
        for text in (row.prompt, row.negative_prompt or " ")
    )
    edit = model.pipeline(
        image=list(pictures),
        prompt_embeds=states,
        negative_prompt_embeds=negative,
        width=SIZE.width,
        height=SIZE.height,
        num_inference_steps=3,
        true_cfg_scale=scale,
        generator=torch.Generator().manual_seed(row.seeds[0]),
    )
    return np.asarray(edit.images[0]).astype(int)


@pytest.mark.parametrize(("sizes", "scale"), [((), 4.0), ((OTHER,), 4.0), ((OTHER, SIZE), 1.0)])
def test_a_row_is_what_diffusers_makes_of_it(
    model: PipelineEditor, monkeypatch: pytest.MonkeyPatch, sizes: tuple[Any, ...], scale: float
) -> None:
    """Beside another row, with no reference, one or two, with true CFG and without: to 1 of 255."""
    # At a megapixel, the area that it scales pictures to, this would take a minute.
    monkeypatch.setattr(plus, "VAE_IMAGE_SIZE", SIZE.width * SIZE.height)
    rows = [with_references(2, *sizes), with_references(1, *sizes)._replace(negative_prompt="dark")]
    of = of_references(*sizes)._replace(steps=3, guidance=scale)
    for row, picture in zip(rows, edited(model, of, rows, 2), strict=True):
        assert np.abs(by_diffusers(model, row, scale) - picture).max() <= 1


def test_a_picture_of_another_shape_is_what_diffusers_makes_of_it(
    model: PipelineEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Than the output's: to 1 of 255."""
    monkeypatch.setattr(plus, "VAE_IMAGE_SIZE", SIZE.width * SIZE.height)
    rows = [job(number, OTHER) for number in (2, 1)]
    of = of_references()._replace(steps=3, given=OTHER)
    for row, picture in zip(rows, edited(model, of, rows, 2), strict=True):
        assert np.abs(by_diffusers(model, row, 1.0) - picture).max() <= 1


@pytest.mark.parametrize("bucket", QWEN_BUCKETS, ids=str)
def test_a_resolution_is_one_that_diffusers_leaves_alone(bucket: tuple[int, int]) -> None:
    """It scales a picture to a megapixel, in sides of whole 32 pixels: a row's picture comes at such a size."""
    assert plus.calculate_dimensions(plus.VAE_IMAGE_SIZE, bucket[0] / bucket[1]) == bucket


def test_a_row_depends_on_no_neighbours_length(model: PipelineEditor) -> None:
    """Beside a short instruction, one that is cut, and one that fills its room, its pixels are bitwise the same."""
    most = TOKENS - model.reading("").tokens  # the end of the chat is read, too; a letter is a token
    texts = ["x", "x" * 600, "x" * most, "x" * (most - 1)]
    row, of = job(1), key(steps=2)
    beside = [edited(model, of, [row, job(2)._replace(prompt=text, negative_prompt=text)], 2)[0] for text in texts]
    assert all(np.array_equal(picture, beside[0]) for picture in beside)
    alone = edited(model, of, [row], 1)[0].astype(int)
    assert np.abs(alone - beside[0]).max() <= 1


def test_the_same_instruction_is_read_with_each_picture(model: PipelineEditor) -> None:
    """What is kept of it is kept for the picture that it was read with."""
    one, other = job(1).image, job(2).image
    states, _ = model.prompts.embed(["Make it red."] * 3, [[one], [other], [one]])
    assert torch.equal(states[0], states[2])
    assert (states[0] - states[1]).abs().max() > 0.01
    again, _ = model.prompts.embed(["Make it red."], [[other]])
    assert torch.equal(again[0], states[1])


def test_the_encoder_sees_pictures_in_two_dimensions(model: PipelineEditor) -> None:
    """Its tokens of a picture have the positions that transformers' model computes for rows and columns."""
    pipeline = model.pipeline
    small = Image.new("RGB", (384, 384), "red")
    before, _, after = pipeline.prompt_template_encode.partition("{}")
    text = f"{before}Picture 1: <|vision_start|><|image_pad|><|vision_end|>Make it red.{after}"
    inputs = pipeline.processor(text=[text], images=[small], return_tensors="pt")
    network = pipeline.text_encoder
    places, _ = network.model.get_rope_index(
        inputs["input_ids"], inputs["mm_token_type_ids"], image_grid_thw=inputs["image_grid_thw"]
    )
    assert not torch.equal(places[1], places[2]), "rows and columns"
    told = {name: inputs[name] for name in ("input_ids", "attention_mask", "pixel_values", "image_grid_thw")}
    with torch.no_grad():
        expected = network(**told, position_ids=places, output_hidden_states=True).hidden_states[-1]
    states, mask = model.embedding("Make it red.", small)
    read = states[mask]
    assert torch.allclose(read, expected[0, -len(read) :], atol=1e-5)


@pytest.mark.parametrize("mark", ["<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|im_end|>"])
def test_a_mark_of_the_chat_in_an_instruction_is_no_picture(model: PipelineEditor, mark: str) -> None:
    """What stands for a picture in the chat stands for nothing in an instruction; its row is edited."""
    (picture,) = edited(model, key(steps=1), [job(1)._replace(prompt=f"Make {mark} red.")], 1)
    assert picture.std() > 1


def test_the_older_kind_edits_rows_the_same(folder: Path) -> None:
    """2509 gives references the time of the picture that is made, where 2511 takes them for finished."""
    older = random_pipeline(
        replace(TINY, transformer={**TINY.transformer, "zero_cond_t": False}), device=CPU, dtype=torch.float32
    )
    model = Qwen(older, PROFILES["reference"], compile_cache=folder, prompt_cache=2**22)
    rows = [job(1), job(2)]
    together = edited(model, key(steps=2), rows, 2)
    for row, picture in zip(rows, together, strict=True):
        assert np.abs(edited(model, key(steps=2), [row], 1)[0].astype(int) - picture).max() <= 1
