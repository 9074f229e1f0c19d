"""Geometry, pure: the resolutions that a model works at, and how a picture gets there and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Literal, NamedTuple

from worker.contract.errors import RowError
from worker.contract.parameters import Size, Task, exact_size


class Bucket(NamedTuple):
    """A resolution that the model works at, in pixels."""

    width: int
    height: int

    @property
    def ratio(self) -> float:
        """Width over height."""
        return self.width / self.height

    @property
    def patches(self) -> int:
        """Tokens of one image of this resolution."""
        return (self.width // 16) * (self.height // 16)

    def tokens_for(self, task: Task) -> int:
        """Return the length of the sequence that the transformer attends over for one image of this resolution.

        A token is 16 × 16 pixels, of the image that is made as of the one that it is made from, where it is an edit;
        512 more are the instruction's, to which length every one is padded.
        """
        return (2 if task == "imageedit" else 1) * self.patches + 512

    @property
    def tokens(self) -> int:
        """That of an edit."""
        return self.tokens_for("imageedit")

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

#: The same areas and shapes with sides of whole 32 pixels, as diffusers' pipeline of Qwen-Image-Edit has them: what it
#: makes of a picture of such a size (its `calculate_dimensions`) is the picture as it is.
QWEN_BUCKETS = _both_ways(
    (672, 1568), (704, 1504), (736, 1440), (768, 1376), (800, 1312), (832, 1248), (896, 1184), (960, 1088),
    (1024, 1024),
)  # fmt: skip

#: The same idea at about 256 × 256; neighbours are at most 17 % apart, so that a picture is stretched by at
#: most 9 %, as with Kontext's own.
DEMO_BUCKETS = _both_ways(
    (160, 384), (176, 368), (192, 352), (192, 320), (208, 304), (224, 288), (240, 272), (256, 256),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How one picture travels to its bucket and back. Width and height in pixels each."""

    bucket: Bucket
    #: The picture inside what the model is given, in its middle; what is left of that is padded.
    inner: tuple[int, int]
    #: The part of the edited bucket, again its middle, that becomes the output.
    kept: tuple[int, int]
    #: The edited picture.
    output: tuple[int, int]
    #: What the model is given, where that is not of the shape of what it makes (`worker.contract.strips`).
    own: Bucket | None = None
    #: By its own mirror image, or by white.
    padding: Literal["reflection", "white"] = "reflection"

    @property
    def given(self) -> Bucket:
        """The size of the picture that the model is given."""
        return self.own or self.bucket


def nearest(width: int, height: int, buckets: Sequence[Bucket]) -> Bucket:
    """Return the bucket whose aspect ratio needs the least stretch, up and down counting alike."""
    return min(buckets, key=lambda bucket: abs(log(bucket.ratio * height / width)))


def plan_fit(width: int, height: int, buckets: Sequence[Bucket], size: Size) -> Fit:
    """Plan a picture's way: `width` × `height` pixels in, a bucket for the model, an output shape.

    A picture between 1:2.4 and 2.4:1 is stretched to its bucket, by 9 % at most, since Kontext works best at these
    resolutions, and the output is stretched back. A longer one is padded by reflection instead. `size`: "auto" has
    the input's aspect ratio and the area of the picture's part of the bucket; "input" is the input's exact size;
    "bucket" hands out the model's own pixels, padding and all. An explicit size is the bucket itself, and handed
    out like one: a picture of another shape is padded to it, never stretched.
    """
    if (exact := exact_size(size)) is not None:
        bucket = Bucket(*exact)
        return Fit(bucket=bucket, inner=within(width, height, bucket), kept=exact, output=exact)
    bucket = nearest(width, height, buckets)
    inner = within(width, height, bucket) if is_long(width, height) else bucket
    if size == "bucket":
        return Fit(bucket=bucket, inner=inner, kept=bucket, output=bucket)
    output = (width, height) if size == "input" else _with_area(width, height, inner[0] * inner[1])
    return Fit(bucket=bucket, inner=inner, kept=inner, output=output)


def plan_made(size: Size) -> Fit:
    """Plan a picture that is made from an instruction alone: it comes as the model makes it, in an explicit size.

    Raises:
        RowError: the size is one that follows from a picture.

    """
    if (exact := exact_size(size)) is None:
        raise RowError(f"size {size} follows from a picture, and this row has none; name one such as 1024x1024.")
    return Fit(bucket=Bucket(*exact), inner=exact, kept=exact, output=exact)


#: Longest aspect ratio that is stretched; up to it the tables above have a bucket within 9 %, which is not seen.
_LONGEST = 2.4


def is_long(width: int, height: int) -> bool:
    """Tell whether a picture is too long to be stretched to a bucket of the tables above."""
    return max(width / height, height / width) > _LONGEST


def within(width: int, height: int, bucket: Bucket) -> tuple[int, int]:
    """Return the largest shape of the same aspect ratio inside the bucket."""
    if bucket.width * height <= bucket.height * width:
        return bucket.width, max(1, round(bucket.width * height / width))
    return max(1, round(bucket.height * width / height)), bucket.height


def area_of(sizes: Sequence[tuple[int, int]], *, max_pixels: int) -> int:
    """Return the pixels of pictures together; which way up they are does not matter.

    Raises:
        RowError: they are more than `max_pixels`.

    """
    if (area := sum(width * height for width, height in sizes)) > max_pixels:
        raise RowError(f"images: together they have {area} pixels, more than {max_pixels}.")
    return area


def _with_area(width: int, height: int, area: int) -> tuple[int, int]:
    """Return a shape of about `area` pixels whose longer side decides, so that the shorter is exact to half a pixel."""
    ratio = width / height
    if ratio >= 1:
        long = max(1, round(sqrt(area * ratio)))
        return long, max(1, round(long / ratio))
    long = max(1, round(sqrt(area / ratio)))
    return max(1, round(long * ratio)), long
