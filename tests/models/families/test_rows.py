"""Each row gets its own picture: from its own photograph, instruction and seed, whatever the others are."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.models.conftest import Load
from tests.support.jobs import SMALL, edited, job, key
from worker.batching.jobs import EditJob
from worker.contract.buckets import Bucket
from worker.contract.errors import OutOfMemory
from worker.contract.model_spec import ModelSpec
from worker.models.pipelines.editing import PipelineEditor
from worker.models.selftest import run_selftest

STEPS = 4

#: A wide one and one that is no power of two, besides the usual.
BUCKETS = [SMALL, *(pytest.param(other, marks=pytest.mark.thorough) for other in (Bucket(64, 128), Bucket(112, 80)))]


@pytest.fixture(scope="session")
def model(load: Load) -> PipelineEditor:
    """Load each family once, as diffusers calculates."""
    return load()


def alone(model: PipelineEditor, row: EditJob, bucket: Bucket = SMALL) -> np.ndarray[Any, Any]:
    """Edit a row in a call of its own."""
    return edited(model, key(bucket, steps=STEPS), [row], 1)[0].astype(int)


@pytest.mark.parametrize("bucket", BUCKETS, ids=str)
def test_a_row_alone_is_the_row_in_a_batch(model: PipelineEditor, bucket: Bucket) -> None:
    """Pictures, instructions and seeds of four rows stay with their rows, in their order, to 1 of 255."""
    rows = [job(number, bucket) for number in (3, 1, 4, 2)]
    together = edited(model, key(bucket, steps=STEPS), rows, 4)
    # In bf16 a product of matrices rounds otherwise for another number of rows.
    most = 1 if model.pipeline.dtype == torch.float32 else 32
    for row, picture in zip(rows, together, strict=True):
        assert np.abs(alone(model, row, bucket) - picture).max() <= most


@pytest.mark.parametrize("what", ["image", "prompt", "seeds"])
def test_what_is_the_rows_own_shows(model: PipelineEditor, what: str) -> None:
    """Another photograph, instruction or seed alone changes the picture by a mean of at least 8 of 255."""
    row, other = job(1), job(4)
    changed = row._replace(**{what: getattr(other, what)})
    assert np.abs(alone(model, row) - alone(model, changed)).mean() >= 8


def test_a_row_of_several_images_has_each_of_its_seeds(model: PipelineEditor) -> None:
    """They are what rows of one image with these seeds are, in the seeds' order, and other rows are none of them."""
    several, other = job(1, images=3), job(2)
    (first, (last,)) = model.edit(key(steps=STEPS), [several, other], 4)
    single = [several._replace(seeds=(seed,)) for seed in several.seeds]
    for row, picture in zip([*single, other], [*first, last], strict=True):
        assert np.abs(alone(model, row) - np.asarray(picture)).max() <= (
            1 if model.pipeline.dtype == torch.float32 else 32
        )


def test_a_picture_may_have_a_shape_of_its_own(model: PipelineEditor) -> None:
    """Other than the output's: each row's own shows, alone it is as in a batch, and what comes has the output's."""
    given = Bucket(128, 48)
    of = key(SMALL, steps=STEPS)._replace(given=given)
    rows = [job(3, given), job(1, given), job(3, given)._replace(image=job(4, given).image)]
    together = [picture.astype(int) for picture in edited(model, of, rows, 4)]
    most = 1 if model.pipeline.dtype == torch.float32 else 32
    for row, picture in zip(rows[:2], together[:2], strict=True):
        assert picture.shape == (SMALL.height, SMALL.width, 3)
        assert np.abs(edited(model, of, [row], 1)[0].astype(int) - picture).max() <= most
    assert np.abs(together[0] - together[2]).mean() >= 8


def test_images_of_a_row_may_be_made_from_pictures_of_their_own(model: PipelineEditor) -> None:
    """As those of a later turn are: each is what a row of this picture and seed is."""
    first, second = job(1, images=2), job(2)
    several = first._replace(others=(second.image,))
    [pictures] = model.edit(key(steps=STEPS), [several], 4)
    for picture, seed, image in zip(pictures, first.seeds, (first.image, second.image), strict=True):
        row = first._replace(seeds=(seed,), image=image)
        assert np.abs(alone(model, row) - np.asarray(picture)).max() <= (
            1 if model.pipeline.dtype == torch.float32 else 32
        )


def test_a_negative_instruction_is_its_rows_own(spec: ModelSpec, model: PipelineEditor) -> None:
    """Where there is true CFG, each row has its own, and it shows."""
    if spec.guided == "none":
        pytest.skip("a distilled model has no true CFG")
    of = key(steps=STEPS, true_cfg_scale=3.0)
    rows = [job(1, negative="dark and blurry"), job(1, negative="Make it it it it 7 times as bright.")]
    one, other = (picture.astype(int) for picture in edited(model, of, rows, 2))
    assert np.abs(one - other).mean() > 2
    assert np.abs(edited(model, of, rows[:1], 1)[0].astype(int) - one).max() <= (
        1 if model.pipeline.dtype == torch.float32 else 32
    )


def test_a_call_that_does_not_fit_is_out_of_memory(load: Load) -> None:
    """What torch raises becomes the fleet's, which names resolution and images; the model works on."""
    model = load()

    def allocate(_: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if len(args[0] if args else kwargs["hidden_states"]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.50 GiB.")

    model.pipeline.transformer.register_forward_pre_hook(allocate, with_kwargs=True)
    rows = [job(number) for number in range(1, 5)]
    with pytest.raises(OutOfMemory) as refused:
        model.edit(key(steps=1), rows, 4)
    assert f"4 images at {SMALL}" in str(refused.value)
    assert len(model.edit(key(steps=1), rows, 2)) == 4


def test_the_proof_before_the_first_row_is_passed(spec: ModelSpec, model: PipelineEditor) -> None:
    """Random weights make a picture, of the square resolution."""
    run_selftest(model, spec)


@pytest.mark.parametrize(("guidance", "scale"), [(None, 1.0), (1.0, 1.0), (None, 2.0)])
def test_a_producer_knows_the_passes(
    spec: ModelSpec, model: PipelineEditor, guidance: float | None, scale: float
) -> None:
    """How often the transformer runs in a step is what the catalog says, by guidance and a negative prompt's scale."""
    of = key(true_cfg_scale=scale)._replace(guidance=spec.guidance if guidance is None else guidance)
    assert model.passes(of) == spec.passes(of.guidance, of.true_cfg_scale)
