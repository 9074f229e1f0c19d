"""Pictures side by side: how large a strip of them is, and how the model is given it."""

import pytest

from worker.contract.buckets import Bucket, Fit, plan_fit
from worker.contract.catalog import MODELS
from worker.contract.errors import RowError
from worker.contract.strips import plan_strip, side_by_side

DEMO, TINY, KONTEXT = (MODELS[name] for name in ("demo", "tiny-kontext", "FLUX-Kontext"))


@pytest.mark.parametrize(
    ("sizes", "enlarged"),
    [
        ([(30, 20)], [(30, 20)]),
        ([(30, 20), (10, 40)], [(60, 40), (10, 40)]),
        ([(10, 40), (30, 20), (1, 1)], [(10, 40), (60, 40), (40, 40)]),
        ([(1, 1000), (1, 2000)], [(2, 2000), (1, 2000)]),
    ],
)
def test_side_by_side(sizes: list[tuple[int, int]], enlarged: list[tuple[int, int]]) -> None:
    """Pictures side by side are as high as the tallest, each in its own shape."""
    assert side_by_side(sizes, max_pixels=10_000) == enlarged


def test_side_by_side_has_a_limit() -> None:
    """A long row of pictures is refused by its size, before any of them is enlarged."""
    with pytest.raises(RowError, match="side by side they are 250100x500, more than 100000000 pixels"):
        side_by_side([(100, 500), (500, 1)], max_pixels=10**8)


def test_strips_have_a_limit_of_pixels_too() -> None:
    """Pictures that have too many together are refused before any is enlarged."""
    with pytest.raises(RowError, match=r"^images: together they have 100001 pixels, more than 100000\.$"):
        side_by_side([(300, 200), (200, 200), (1, 1)], max_pixels=100_000)


@pytest.mark.parametrize("size", ["auto", "input", "bucket", "384x192"])
def test_a_strip_that_fits_is_a_picture_like_any_other(size: str) -> None:
    """A size that follows from it, or one by number of its very shape, changes nothing."""
    for spec in (DEMO, TINY):
        assert plan_strip(200, 100, spec, size) == plan_fit(200, 100, spec.buckets, size)


@pytest.mark.parametrize(
    ("strip", "own"),
    [
        ((200, 100), Bucket(368, 176)),  # 2:1; the nearest of the model's own
        ((100, 200), Bucket(176, 368)),
        ((300, 100), Bucket(448, 144)),  # 443.4 x 147.8
        ((6400, 100), Bucket(1024, 64)),  # 64:1, of which 16:1 is given
    ],
)
def test_a_size_by_number_is_the_outputs_alone(strip: tuple[int, int], own: Bucket) -> None:
    """The model is given the strip in a shape of its own, at about its own area, and nothing is padded up to 16:1."""
    plan = plan_strip(*strip, TINY, "256x256")
    inner = (1024, 16) if max(strip) == 6400 else own
    assert (plan.bucket, plan.given, plan.inner) == (Bucket(256, 256), own, inner)
    assert plan.kept == plan.output == (256, 256)


def test_a_strip_near_the_size_is_given_at_the_size() -> None:
    """It shares a batch with pictures that are of this shape."""
    plan = plan_strip(103, 100, TINY, "256x256")
    assert plan == Fit(bucket=Bucket(256, 256), inner=(256, 256), kept=(256, 256), output=(256, 256), padding="white")


def test_a_model_of_one_shape_is_given_a_strip_on_white() -> None:
    """The demo model was trained on nothing else: what it is given is as large as what it makes."""
    plan = plan_strip(300, 100, DEMO, "256x256")
    assert (plan.given, plan.inner, plan.padding) == (Bucket(256, 256), (256, 85), "white")


def test_shapes_of_strips_are_what_the_model_takes() -> None:
    """Sides are multiples of 16, near one megapixel of FLUX-Kontext."""
    for width in range(250, 2000, 50):
        own = plan_strip(width, 100, KONTEXT, "1024x1024").given
        assert own.width % 16 == own.height % 16 == 0
        assert abs(own.width * own.height / 1024**2 - 1) < 0.08
