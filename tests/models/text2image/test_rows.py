"""A picture from an instruction alone is what diffusers makes of it, whatever its neighbours are."""

from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from tests.models.conftest import Load
from tests.support.jobs import SMALL, edited, job, key
from worker.batching.jobs import BatchKey, EditJob
from worker.contract.buckets import Bucket
from worker.contract.model_spec import ModelSpec
from worker.models.pipelines.editing import PipelineEditor
from worker.models.selftest import run_selftest

STEPS = 4

#: No power of two, and upright, besides the usual.
SIZES = [SMALL, pytest.param(Bucket(80, 112), marks=pytest.mark.thorough)]


@pytest.fixture(scope="session")
def model(load: Load) -> PipelineEditor:
    """Load each model once, as diffusers calculates."""
    return load()


def from_nothing(size: Bucket = SMALL, *, steps: int = STEPS, true_cfg_scale: float = 1.0) -> BatchKey:
    """Make a key of rows without an image."""
    return key(size, steps=steps, true_cfg_scale=true_cfg_scale)._replace(task="text2image")


def row(number: int, *, negative: str | None = None, images: int = 1) -> EditJob:
    """Make a row of an instruction and seeds alone."""
    return job(number, negative=negative, images=images)._replace(image=None)


def most(model: PipelineEditor) -> int:
    """Return by how much of 255 rounding may differ: in bf16 a product rounds otherwise for another number of rows."""
    return 1 if model.pipeline.dtype == torch.float32 else 32


def alone(model: PipelineEditor, of: BatchKey, one: EditJob) -> np.ndarray[Any, Any]:
    """Make a row in a call of its own."""
    return edited(model, of, [one], 1)[0].astype(int)


def by_diffusers(folder: Path, spec: ModelSpec, one: EditJob, size: Bucket) -> np.ndarray[Any, Any]:
    """Make a row with diffusers' own pipeline, as it is, and its own defaults but for what decides this picture."""
    pipeline: Any = diffusers.DiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    # The area is Kontext's own: it would make pictures of a megapixel. The layers are those of a tiny encoder.
    own = {
        "FluxKontextPipeline": {"max_area": size.width * size.height},
        "Flux2KleinPipeline": {"text_encoder_out_layers": (1, 2, 3)},
    }
    made = pipeline(
        prompt=one.prompt,
        width=size.width,
        height=size.height,
        num_inference_steps=STEPS,
        guidance_scale=1.0 if spec.guided == "none" else 3.5,
        generator=torch.Generator().manual_seed(one.seeds[0]),
        **own.get(spec.pipeline, {}),
    )
    return np.asarray(made.images[0]).astype(int)


def test_a_row_is_what_diffusers_makes_of_it(spec: ModelSpec, tiny: Path, model: PipelineEditor) -> None:
    """Beside another row, to 1 of 255: the pipeline alone, without an image, is the judge."""
    if model.device.type != "cpu":
        pytest.skip("diffusers calculates in fp32 here")
    rows = [row(2), row(1)]
    for one, picture in zip(rows, edited(model, from_nothing(), rows, 2), strict=True):
        assert np.abs(by_diffusers(tiny, spec, one, SMALL) - picture).max() <= 1


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_row_alone_is_the_row_in_a_batch(model: PipelineEditor, size: Bucket) -> None:
    """Instructions and seeds of four rows stay with their rows, in their order, to 1 of 255."""
    rows, of = [row(number) for number in (3, 1, 4, 2)], from_nothing(size)
    for one, picture in zip(rows, edited(model, of, rows, 4), strict=True):
        assert picture.shape == (size.height, size.width, 3)
        assert np.abs(alone(model, of, one) - picture).max() <= most(model)


@pytest.mark.parametrize("what", ["prompt", "seeds"])
def test_what_is_the_rows_own_shows(model: PipelineEditor, what: str) -> None:
    """Another instruction or seed alone changes the picture by a mean of at least 8 of 255."""
    one = row(1)
    changed = one._replace(**{what: getattr(row(4), what)})
    assert np.abs(alone(model, from_nothing(), one) - alone(model, from_nothing(), changed)).mean() >= 8


@pytest.mark.parametrize("way", [pytest.param({}, marks=pytest.mark.thorough), {"step_interval": 2}], ids=str)
def test_a_row_is_bitwise_the_same_among_any_neighbours(load: Load, way: dict[str, Any]) -> None:
    """Two at a time, first or second, beside whichever row."""
    model, one, of = load(profile="reference", **way), row(1), from_nothing(steps=6)
    first = edited(model, of, [one, row(2)], 2)[0]
    for rows, place in (([one, row(3)], 0), ([row(2), one], 1)):
        assert np.array_equal(edited(model, of, rows, 2)[place], first)


def test_a_row_of_several_images_has_each_of_its_seeds(model: PipelineEditor) -> None:
    """They are what rows of one image with these seeds are, in the seeds' order, and other rows are none of them."""
    several, other = row(1, images=3), row(2)
    (first, (last,)) = model.edit(from_nothing(), [several, other], 4)
    single = [several._replace(seeds=(seed,)) for seed in several.seeds]
    for one, picture in zip([*single, other], [*first, last], strict=True):
        assert np.abs(alone(model, from_nothing(), one) - np.asarray(picture)).max() <= most(model)


def test_a_negative_instruction_is_its_rows_own(spec: ModelSpec, model: PipelineEditor) -> None:
    """Where there is true CFG, each row has its own, and it shows."""
    if spec.guided == "none":
        pytest.skip("a distilled model has no true CFG")
    of = from_nothing(true_cfg_scale=3.0)
    rows = [row(1, negative="dark and blurry"), row(1, negative="Make it it it it 7 times as bright.")]
    one, other = (picture.astype(int) for picture in edited(model, of, rows, 2))
    assert np.abs(one - other).mean() > 2
    assert np.abs(alone(model, of, rows[0]) - one).max() <= most(model)


def test_an_edit_is_none_of_a_picture_from_nothing(spec: ModelSpec, model: PipelineEditor) -> None:
    """The same instruction and seed with a picture to edit make another, before and after one without."""
    if "imageedit" not in spec.tasks:
        pytest.skip("it edits nothing")
    before = alone(model, key(steps=STEPS), job(1))
    without = alone(model, from_nothing(), row(1))
    assert np.abs(before - without).mean() >= 8
    assert np.array_equal(alone(model, key(steps=STEPS), job(1)), before), "nothing of a picture stays"


def test_the_proof_before_the_first_row_is_passed(spec: ModelSpec, model: PipelineEditor) -> None:
    """Random weights make a picture, of the square resolution."""
    run_selftest(model, spec, "text2image")
