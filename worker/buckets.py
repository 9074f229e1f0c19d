"""Geometry, pure: the resolutions that a model works at, and how a picture gets there and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import NamedTuple

from worker.contract import Size


class Bucket(NamedTuple):
    """A resolution that the model works at, in pixels."""

    width: int
    height: int

    @property
    def ratio(self) -> float:
        """Width over height."""
        return self.width / self.height

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def _both_ways(*portraits: tuple[int, int]) -> tuple[Bucket, ...]:
    upright = [Bucket(w, h) for w, h in portraits]
    return (*upright, *(Bucket(h, w) for w, h in reversed(upright) if w != h))


#: The resolutions that FLUX.1-Kontext was trained at (diffusers' PREFERRED_KONTEXT_RESOLUTIONS).
KONTEXT_BUCKETS = _both_ways(
    (672, 1568), (688, 1504), (720, 1456), (752, 1392), (800, 1328), (832, 1248), (880, 1184), (944, 1104),
    (1024, 1024),
)  # fmt: skip

#: The same idea at about 256 × 256; neighbours are at most 17 % apart, so that a picture is stretched by at
#: most 9 %, as with Kontext's own.
DEMO_BUCKETS = _both_ways(
    (160, 384), (176, 368), (192, 352), (192, 320), (208, 304), (224, 288), (240, 272), (256, 256),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How one picture travels to its bucket and back."""

    bucket: Bucket
    #: Width and height of the picture inside the bucket. Smaller than the bucket only beyond the bucket
    #: shapes, where the rest is filled by reflection, evenly on both sides.
    inner: tuple[int, int]
    #: Width and height of the edited picture.
    output: tuple[int, int]


def nearest(width: int, height: int, buckets: Sequence[Bucket]) -> Bucket:
    """Return the bucket whose aspect ratio needs the least stretch, up and down counting alike."""
    return min(buckets, key=lambda bucket: abs(log(bucket.ratio * height / width)))


def plan_fit(width: int, height: int, buckets: Sequence[Bucket], size: Size) -> Fit:
    """Plan a picture's way: `width` × `height` pixels in, a bucket for the model, an output shape.

    A picture within 9 % of its bucket's shape is stretched to it, since Kontext works best at these
    resolutions, and the output is stretched back. Anything beyond the most extreme bucket is padded by
    reflection instead. `size`: "auto" has the input's aspect ratio and the area of the picture's part of
    the bucket; "input" is the input's exact size; "bucket" hands out the model's own pixels.
    """
    bucket = nearest(width, height, buckets)
    inner = _inner(width, height, bucket)
    if size == "bucket":
        return Fit(bucket=bucket, inner=(bucket.width, bucket.height), output=(bucket.width, bucket.height))
    output = (width, height) if size == "input" else _with_area(width, height, inner[0] * inner[1])
    return Fit(bucket=bucket, inner=inner, output=output)


#: A stretch up to this factor is not seen; half the widest gap between neighbouring buckets' ratios is 8.4 %.
_MAX_STRETCH = 1.09


def _inner(width: int, height: int, bucket: Bucket) -> tuple[int, int]:
    stretch = bucket.ratio * height / width
    if 1 / _MAX_STRETCH <= stretch <= _MAX_STRETCH:
        return bucket.width, bucket.height
    if stretch < 1:  # wider than any bucket
        return bucket.width, max(1, round(bucket.width * height / width))
    return max(1, round(bucket.height * width / height)), bucket.height


def _with_area(width: int, height: int, area: int) -> tuple[int, int]:
    """Return a shape of about `area` pixels whose longer side decides, so that the shorter is exact to half a pixel."""
    ratio = width / height
    if ratio >= 1:
        long = max(1, round(sqrt(area * ratio)))
        return long, max(1, round(long / ratio))
    long = max(1, round(sqrt(area / ratio)))
    return max(1, round(long * ratio)), long
