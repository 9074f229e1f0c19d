"""The built-in picture tells a model that works from one that does not."""

from collections.abc import Callable, Sequence

import pytest
from PIL import Image

from worker.batching.jobs import BatchKey, EditJob
from worker.contract.buckets import Bucket
from worker.contract.catalog import MODELS
from worker.contract.errors import ModelError
from worker.models.protocol import EditModel
from worker.models.selftest import run_selftest, usual_key


class Model(EditModel):
    """A model that makes of every picture what it is told to."""

    def __init__(self, make: Callable[[Image.Image], Image.Image]) -> None:
        self._make = make

    def edit(self, key: BatchKey, jobs: Sequence[EditJob], most: int) -> list[list[Image.Image]]:
        """Edit rows of one key."""
        assert (len(jobs), most, jobs[0].image.size) == (1, 1, key.bucket)
        return [[self._make(job.image)] for job in jobs]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_works_is_proved(name: str) -> None:
    """Any picture at the square resolution that is not of one colour will do."""
    run_selftest(Model(lambda image: image.point(lambda value: value // 2)), MODELS[name])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda image: Image.new("RGB", image.size), "a single colour: its weights or this GPU are broken"),
        (lambda image: Image.new("RGB", image.size, "white"), "a single colour"),
        (lambda image: image.resize((64, 64)), r"a picture of RGB \(64, 64\), not 256x256"),
        (lambda image: image.convert("L"), r"a picture of L \(256, 256\)"),
    ],
)
def test_a_model_that_does_not_work_is_not(make: Callable[[Image.Image], Image.Image], sentence: str) -> None:
    """Black, as numbers that are none become, another size and another mode are no edit."""
    with pytest.raises(ModelError, match=sentence):
        run_selftest(Model(make), MODELS["demo"])


def test_the_picture_tells_channels_and_places_apart() -> None:
    """It differs from place to place, and its channels from one another."""
    seen: list[Image.Image] = []

    def look(image: Image.Image) -> Image.Image:
        seen.append(image)
        return image

    run_selftest(Model(look), MODELS["demo"])
    red, green, blue = seen[0].split()
    assert len({red.tobytes(), green.tobytes(), blue.tobytes()}) == 3
    assert all(band.getextrema()[1] - band.getextrema()[0] > 200 for band in (red, green, blue))


class Maker(EditModel):
    """A model that makes a picture of what it is told, without one."""

    def __init__(self, made: Image.Image) -> None:
        self._made = made

    def edit(self, key: BatchKey, jobs: Sequence[EditJob], most: int) -> list[list[Image.Image]]:
        """Make rows of one key."""
        assert (key.task, jobs[0].image, most) == ("text2image", None, 1)
        return [[self._made] for _ in jobs]


def test_a_model_proves_the_task_that_its_worker_does() -> None:
    """From an instruction alone, at the square resolution; again as rows of another key are made."""
    spec = MODELS["tiny-klein"]
    run_selftest(Maker(Image.linear_gradient("L").convert("RGB").resize(spec.square)), spec, "text2image")
    like = usual_key(spec, Bucket(96, 64), "text2image", steps=9)
    run_selftest(Maker(Image.linear_gradient("L").convert("RGB").resize((96, 64))), spec, "text2image", like)
    with pytest.raises(ModelError, match="of the built-in instruction a single colour"):
        run_selftest(Maker(Image.new("RGB", spec.square)), spec, "text2image")
