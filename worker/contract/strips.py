"""Pictures that stand side by side, in one strip: its shape, and its way into a picture of a size by number."""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Final

from worker.contract.buckets import Bucket, Fit, area_of, is_long, nearest, plan_fit, within
from worker.contract.errors import RowError
from worker.contract.model_spec import ModelSpec
from worker.contract.parameters import Size, exact_size

#: Most that a strip is longer than high where the model is given it as it is: 16 squares side by side. Encoders that
#: see a picture in small refuse some that are much longer.
_LONGEST: Final = 16


def side_by_side(sizes: Sequence[tuple[int, int]], *, max_pixels: int) -> list[tuple[int, int]]:
    """Return the sizes of pictures that are to stand side by side, each enlarged to the height of the tallest.

    Raises:
        RowError: together they would have more than `max_pixels` pixels.

    """
    area_of(sizes, max_pixels=max_pixels)
    tallest = max(height for _, height in sizes)
    enlarged = [(max(1, round(width * tallest / height)), tallest) for width, height in sizes]
    if (whole := sum(width for width, _ in enlarged)) * tallest > max_pixels:
        raise RowError(f"images: side by side they are {whole}x{tallest}, more than {max_pixels} pixels.")
    return enlarged


def plan_strip(width: int, height: int, spec: ModelSpec, size: Size) -> Fit:
    """Plan the way of a strip of these pixels: as of any picture, but that a size by number is the output's alone.

    Padded by reflection to such a size, a strip would be a kaleidoscope. So the model is given it in a shape of its
    own, near the model's resolution; or, where the model needs what it edits in the shape of what it makes, on white.
    """
    plan = plan_fit(width, height, spec.buckets, size)
    if exact_size(size) is None or plan.inner == plan.bucket:
        return plan
    if spec.same_shape:
        return replace(plan, padding="white")
    own = _own_shape(width, height, spec)
    inner = within(width, height, own) if max(width / height, height / width) > _LONGEST else own
    return replace(plan, own=None if own == plan.bucket else own, inner=inner, padding="white")


def _own_shape(width: int, height: int, spec: ModelSpec) -> Bucket:
    """Return the model's resolution nearest to a strip; of a longer one its own shape, at the same area."""
    if not is_long(width, height):
        return nearest(width, height, spec.buckets)
    area, ratio = spec.square.width * spec.square.height, min(max(width / height, 1 / _LONGEST), _LONGEST)
    sides = (sqrt(area * ratio), sqrt(area / ratio))
    return Bucket(*(max(1, round(side / spec.multiple)) * spec.multiple for side in sides))
