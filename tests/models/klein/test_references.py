"""FLUX.2 [klein] refers to pictures as diffusers' own pipeline does, but to each row's own."""

from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from tests.support.jobs import edited, job, key
from worker.batching.jobs import BatchKey, EditJob
from worker.contract.buckets import Bucket
from worker.contract.catalog import MODELS
from worker.contract.model_spec import ModelSpec
from worker.contract.profiles import PROFILES
from worker.models.pipelines.editing import PipelineEditor
from worker.models.registry import editor_of, save_tiny
from worker.models.selftest import run_selftest

#: FLUX.2 [klein], and KV, whose references are calculated at the first step alone.
FAMILIES = ["tiny-klein", "tiny-klein-kv"]

CPU = torch.device("cpu")

#: Of the picture that is edited, and of a reference beside it.
SIZE, OTHER = Bucket(96, 64), Bucket(64, 80)


@pytest.fixture(scope="module", params=FAMILIES)
def spec(request: pytest.FixtureRequest) -> ModelSpec:
    """Name one after the other."""
    return MODELS[request.param]


@pytest.fixture(scope="module")
def folder(spec: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save the tiny model."""
    path = tmp_path_factory.mktemp("klein") / "model"
    save_tiny(spec, path)
    return path


@pytest.fixture(scope="module")
def model(spec: ModelSpec, folder: Path) -> PipelineEditor:
    """Load it as a worker does."""
    editor = editor_of(spec)
    return editor.load(folder, PROFILES["reference"], device=CPU, compile_cache=folder, prompt_cache=2**22)


def several(*references: Bucket) -> BatchKey:
    """Make a key of rows with references of these sizes."""
    return key(SIZE, steps=4)._replace(references=references)


def with_references(number: int, *sizes: Bucket) -> EditJob:
    """Make a row whose references are its own."""
    others = tuple(job(10 * number + place, size).image for place, size in enumerate(sizes, 1))
    return job(number, SIZE)._replace(references=others)


def by_diffusers(folder: Path, row: EditJob) -> np.ndarray[Any, Any]:
    """Edit a row with diffusers' pipeline as it is."""
    pipeline: Any = diffusers.DiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    edit = pipeline(
        image=[row.image, *row.references],
        prompt=row.prompt,
        width=SIZE.width,
        height=SIZE.height,
        num_inference_steps=4,
        generator=torch.Generator().manual_seed(row.seeds[0]),
        text_encoder_out_layers=(1, 2, 3),
        **({"guidance_scale": 1.0} if isinstance(pipeline, diffusers.Flux2KleinPipeline) else {}),
    )
    return np.asarray(edit.images[0]).astype(int)


@pytest.mark.parametrize("sizes", [(), (OTHER,), (OTHER, SIZE, OTHER)], ids=len)
def test_a_row_is_what_diffusers_makes_of_it(folder: Path, model: PipelineEditor, sizes: tuple[Bucket, ...]) -> None:
    """Beside another row, with no reference, one or three of other sizes: to 1 of 255."""
    rows = [with_references(2, *sizes), with_references(1, *sizes)]
    for row, picture in zip(rows, edited(model, several(*sizes), rows, 2), strict=True):
        assert np.abs(by_diffusers(folder, row) - picture).max() <= 1


def test_a_picture_of_another_shape_is_what_diffusers_makes_of_it(folder: Path, model: PipelineEditor) -> None:
    """Than the output's: at positions of its own, to 1 of 255."""
    rows = [job(number, OTHER) for number in (2, 1)]
    for row, picture in zip(rows, edited(model, several()._replace(given=OTHER), rows, 2), strict=True):
        assert np.abs(by_diffusers(folder, row) - picture).max() <= 1


def test_a_reference_is_its_rows_own_and_its_place_counts(model: PipelineEditor) -> None:
    """Another reference shows in its row and in no other, and so do two that change places."""
    first, other = with_references(1, OTHER, OTHER), with_references(2, OTHER, OTHER)
    before = edited(model, several(OTHER, OTHER), [first, other], 2)
    for changed in (with_references(3, OTHER, OTHER).references, first.references[::-1]):
        rows = [first._replace(references=changed), other]
        after = edited(model, several(OTHER, OTHER), rows, 2)
        assert np.abs(before[0].astype(int) - after[0]).mean() > 1
        assert np.array_equal(before[1], after[1])


def test_the_proof_takes_references(spec: ModelSpec, model: PipelineEditor) -> None:
    """A model that failed on rows with references is proved with some."""
    run_selftest(model, spec, like=several(OTHER))
