"""The built-in picture tells a model that works from one that does not."""

from collections.abc import Callable, Sequence

import pytest
from PIL import Image

from worker.batching.jobs import BatchKey, EditJob
from worker.contract.catalog import MODELS
from worker.contract.errors import ModelError
from worker.models.protocol import EditModel
from worker.models.selftest import run_selftest


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
        (lambda image: image.resize((64, 64)), r"one of RGB \(64, 64\), not 256x256"),
        (lambda image: image.convert("L"), r"one of L \(256, 256\)"),
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
