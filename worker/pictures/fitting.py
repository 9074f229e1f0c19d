"""A decoded picture's way to the model and back: stitch, fit to a bucket, restore."""

from collections.abc import Sequence

from PIL import Image, ImageOps

from worker.contract.buckets import Fit
from worker.contract.strips import side_by_side


def stitch(pictures: Sequence[Image.Image], *, max_pixels: int) -> Image.Image:
    """Put RGB pictures side by side, from left to right, enlarged to the height of the tallest; one stays as it is.

    Raises:
        RowError: together they have more than `max_pixels` pixels.

    """
    if len(pictures) == 1:
        return pictures[0]
    sizes = side_by_side([picture.size for picture in pictures], max_pixels=max_pixels)
    stitched = Image.new("RGB", (sum(width for width, _ in sizes), sizes[0][1]))
    left = 0
    for picture, size in zip(pictures, sizes, strict=True):
        stitched.paste(picture.resize(size, Image.Resampling.LANCZOS), (left, 0))
        left += size[0]
    return stitched


def fit(image: Image.Image, plan: Fit) -> Image.Image:
    """Return the picture at the size that the model is given, padded where the plan says so."""
    inner = image.resize(plan.inner, Image.Resampling.LANCZOS)
    if plan.inner == tuple(plan.given):
        return inner
    padded = Image.new("RGB", plan.given, "white")
    if plan.padding == "white":
        padded.paste(inner, ((plan.given.width - plan.inner[0]) // 2, (plan.given.height - plan.inner[1]) // 2))
        return padded
    # Mirror images side by side reflect the edge on and on, however thin the picture is.
    across = _offsets(plan.given.width, plan.inner[0])
    down = _offsets(plan.given.height, plan.inner[1])
    for x, mirrored in across:
        for y, flipped in down:
            tile = ImageOps.mirror(inner) if mirrored else inner
            padded.paste(ImageOps.flip(tile) if flipped else tile, (x, y))
    return padded


def restore(edited: Image.Image, plan: Fit) -> Image.Image:
    """Return the edited picture in the shape of the output: padding cut off and stretch undone, as planned."""
    left, top = ((whole - part) // 2 for whole, part in zip(plan.bucket, plan.kept, strict=True))
    box = (left, top, left + plan.kept[0], top + plan.kept[1])
    if plan.output == plan.kept:
        return edited.crop(box)
    return edited.resize(plan.output, Image.Resampling.LANCZOS, box=box)


def _offsets(whole: int, part: int) -> list[tuple[int, bool]]:
    """Return where tiles of `part` pixels begin that cover `whole`, one of them in the middle; odd ones mirrored."""
    middle = (whole - part) // 2
    first = -(-middle // part)
    return [(middle + step * part, step % 2 == 1) for step in range(-first, -(-(whole - middle) // part))]
