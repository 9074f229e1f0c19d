"""Geometry: every picture finds a bucket near its own shape, and comes back in its own shape."""

from collections.abc import Sequence

import pytest
from diffusers.pipelines.flux.pipeline_flux_kontext import PREFERRED_KONTEXT_RESOLUTIONS
from hypothesis import given
from hypothesis import strategies as st

from worker.contract.buckets import DEMO_BUCKETS, KONTEXT_BUCKETS, Bucket, area_of, nearest, plan_fit
from worker.contract.errors import RowError
from worker.contract.parameters import Size, rounded_size

SIDES = st.integers(16, 20_000)
TABLES = st.sampled_from([KONTEXT_BUCKETS, DEMO_BUCKETS])


def test_buckets_are_the_models_own() -> None:
    """The buckets of FLUX-Kontext are the resolutions that diffusers prefers for it."""
    assert list(KONTEXT_BUCKETS) == PREFERRED_KONTEXT_RESOLUTIONS


@pytest.mark.parametrize("bucket", [*KONTEXT_BUCKETS, *DEMO_BUCKETS], ids=str)
def test_bucket_sides_are_multiples_of_16(bucket: Bucket) -> None:
    """The model sees tokens of 16 × 16 pixels (8 of the autoencoder, 2 of the patches)."""
    assert bucket.width % 16 == bucket.height % 16 == 0


@pytest.mark.parametrize("buckets", [KONTEXT_BUCKETS, DEMO_BUCKETS], ids=["kontext", "demo"])
def test_buckets_come_in_pairs(buckets: Sequence[Bucket]) -> None:
    """Portrait and landscape are treated alike."""
    assert {(bucket.height, bucket.width) for bucket in buckets} == set(buckets)


@pytest.mark.parametrize(
    ("size", "bucket"),
    [
        ((1920, 1080), (1392, 752)),  # 1.78: between 1392/752 = 1.85 (4.1 % off) and 1328/800 = 1.66 (7.1 %)
        ((600, 900), (832, 1248)),  # 2:3 exactly
        ((4000, 3000), (1184, 880)),  # 1.33: 1184/880 = 1.345 is 0.9 % off
        ((512, 512), (1024, 1024)),
        ((10_000, 100), (1568, 672)),  # the widest there is
        ((1, 1000), (672, 1568)),  # the tallest there is
    ],
)
def test_the_nearest_bucket(size: tuple[int, int], bucket: tuple[int, int]) -> None:
    """A picture's bucket is the one whose aspect ratio is nearest to its own."""
    assert nearest(*size, KONTEXT_BUCKETS) == bucket


@pytest.mark.parametrize(
    ("size", "way", "inner", "output"),
    [
        ((600, 900), "auto", (832, 1248), (832, 1248)),  # the bucket has the very shape
        ((1920, 1080), "auto", (1392, 752), (1364, 767)),  # √(1392 × 752 × 16/9) = 1364.1, and 1364 × 9/16 = 767.25
        ((1920, 1080), "input", (1392, 752), (1920, 1080)),
        ((1920, 1080), "bucket", (1392, 752), (1392, 752)),
        ((5000, 1000), "auto", (1568, 314), (1569, 314)),  # 1568/5 = 313.6; √(1568 × 314 × 5) = 1569.0
        ((5000, 1000), "input", (1568, 314), (5000, 1000)),
        ((5000, 1000), "bucket", (1568, 314), (1568, 672)),  # the model's pixels, with the padding
        ((2400, 1000), "auto", (1568, 672), (1590, 662)),  # 2.4: stretched by 2.9 %; √(1568 × 672 × 2.4) = 1590.2
        ((2401, 1000), "auto", (1568, 653), (1568, 653)),  # beyond: padded; 1568/2.401 = 653.06
        ((1920, 1080), "1280x720", (1280, 720), (1280, 720)),
        ((1000, 1000), "1280x720", (720, 720), (1280, 720)),  # padded, never stretched
        ((1290, 720), "1280x720", (1280, 714), (1280, 720)),  # 1280 × 720/1290 = 714.4
        ((20, 1000), "auto", (31, 1568), (31, 1559)),  # 1568/50 = 31.4; √(31 × 1568 × 50) = 1558.97
    ],
)
def test_a_pictures_way(size: tuple[int, int], way: Size, inner: tuple[int, int], output: tuple[int, int]) -> None:
    """A picture's size inside its bucket and its size at the end follow from its own."""
    plan = plan_fit(*size, KONTEXT_BUCKETS, way)
    assert (plan.inner, plan.output) == (inner, output)


@given(SIDES, SIDES, TABLES, st.sampled_from(["auto", "input"]))
def test_an_output_has_the_shape_of_its_input(width: int, height: int, buckets: Sequence[Bucket], size: Size) -> None:
    """The output's aspect ratio is the input's within one pixel of one side."""
    ratio = width / height
    out_width, out_height = plan_fit(width, height, buckets, size).output
    assert abs(out_width - out_height * ratio) <= 1 or abs(out_height - out_width / ratio) <= 1


@given(SIDES, SIDES, TABLES)
def test_a_picture_is_stretched_by_at_most_9_percent(width: int, height: int, buckets: Sequence[Bucket]) -> None:
    """Between 1:2.4 and 2.4:1 the model sees a picture at most 9 % wider or narrower than it is."""
    inner_width, inner_height = plan_fit(width, height, buckets, "auto").inner
    stretch = inner_width / inner_height / (width / height)
    if 1 / 2.4 <= width / height <= 2.4:
        assert 1 / 1.09 <= stretch <= 1.09


@given(st.integers(1, 20_000), st.integers(1, 20_000), TABLES, st.sampled_from(["auto", "input", "bucket"]))
def test_sizes_are_possible(width: int, height: int, buckets: Sequence[Bucket], size: Size) -> None:
    """The picture fits into its bucket, and no side of anything is ever 0."""
    plan = plan_fit(width, height, buckets, size)
    assert 1 <= plan.inner[0] <= plan.bucket.width
    assert 1 <= plan.inner[1] <= plan.bucket.height
    assert min(plan.output) >= 1


@given(SIDES, SIDES, TABLES)
def test_auto_keeps_the_area(width: int, height: int, buckets: Sequence[Bucket]) -> None:
    """The output of `auto` has as many pixels as the model made, within 3 % for any shape up to 1:4."""
    plan = plan_fit(width, height, buckets, "auto")
    area = plan.inner[0] * plan.inner[1]
    if 1 / 4 <= width / height <= 4:
        assert abs(plan.output[0] * plan.output[1] - area) <= 0.03 * area


@given(SIDES, SIDES, TABLES)
def test_bucket_hands_out_the_models_own_pixels(width: int, height: int, buckets: Sequence[Bucket]) -> None:
    """With the size `bucket` the output is the bucket, in which the picture lies as it does with `auto`."""
    plan = plan_fit(width, height, buckets, "bucket")
    assert plan.output == plan.kept == plan.bucket == nearest(width, height, buckets)
    assert plan.inner == plan_fit(width, height, buckets, "auto").inner


@given(SIDES, SIDES, st.sampled_from(["1280x720", "64x64", "512x2048"]))
def test_an_explicit_size_never_stretches(width: int, height: int, size: Size) -> None:
    """A picture lies in an explicit size with its own aspect ratio, within one pixel, and touches two of its edges."""
    plan = plan_fit(width, height, KONTEXT_BUCKETS, size)
    assert f"{plan.output[0]}x{plan.output[1]}" == f"{plan.bucket}" == size
    ratio, (inner_width, inner_height) = width / height, plan.inner
    assert abs(inner_width - inner_height * ratio) <= 1 or abs(inner_height - inner_width / ratio) <= 1
    assert inner_width == plan.bucket.width or inner_height == plan.bucket.height


def test_pictures_have_a_limit_together() -> None:
    """Pictures that have too many pixels together are refused by their sizes; at the limit they are not."""
    assert area_of([(300, 200), (200, 200)], max_pixels=100_000) == 100_000
    with pytest.raises(RowError, match=r"^images: together they have 100001 pixels, more than 100000\.$"):
        area_of([(300, 200), (200, 200), (1, 1)], max_pixels=100_000)


@pytest.mark.parametrize(
    ("size", "rounded"),
    [("1280x720", "1280x720"), ("1920x1080", "1920x1072"), ("79x64", "64x64"), ("auto", "auto"), ("input", "input")],
)
def test_an_explicit_size_is_rounded_down(size: Size, rounded: str) -> None:
    """Each side of an explicit size becomes a multiple of 16, as diffusers takes it; a name stays as it is."""
    assert rounded_size(size, 16) == rounded
