"""Pictures on their way to the model and back: undistorted, whatever their shape."""

import pytest
from PIL import Image, ImageDraw, ImageOps
from PIL.Image import Transpose

from worker.contract.buckets import KONTEXT_BUCKETS, plan_fit
from worker.contract.catalog import MODELS
from worker.contract.messages import Size
from worker.contract.strips import plan_strip
from worker.pictures.fitting import fit, restore


def photo(width: int, height: int) -> Image.Image:
    """Paint a smooth picture that differs from place to place."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (across, down, Image.radial_gradient("L").resize((width, height))))


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of two pictures, of 255."""
    assert one.size == other.size
    pairs = zip(one.tobytes(), other.tobytes(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / len(one.tobytes())


@pytest.mark.parametrize("way", ["auto", "input"])
@pytest.mark.parametrize(
    "size", [(400, 600), (640, 360), (333, 777), (1200, 100), (100, 1200), (30, 1500), (1500, 30), (1, 50), (50, 1)]
)
def test_there_and_back(size: tuple[int, int], way: Size) -> None:
    """A picture that the model leaves as it is comes back as it was, whatever its shape."""
    plan = plan_fit(*size, KONTEXT_BUCKETS, way)
    original = photo(*size)
    fitted = fit(original, plan)
    assert fitted.size == plan.bucket
    back = restore(fitted, plan)
    assert back.size == plan.output
    assert difference(back, original.resize(plan.output, Image.Resampling.LANCZOS)) < 2


@pytest.mark.parametrize("size", [(600, 100), (100, 600), (20, 1000)])
def test_padding_continues_the_edge(size: tuple[int, int]) -> None:
    """On both sides of a picture the model sees its mirror image, so that no line shows where it ends."""
    plan = plan_fit(*size, KONTEXT_BUCKETS, "auto")
    fitted, width, height, inner = fit(photo(*size), plan), *plan.bucket, plan.inner[1]
    if plan.inner[0] < width:  # padded to the left and right: look at it sideways
        fitted, width, height, inner = fitted.transpose(Transpose.TRANSPOSE), height, width, plan.inner[0]
    top = (height - inner) // 2
    for edge, near in ((top, min(top, inner)), (top + inner, min(height - top - inner, inner))):
        above, below = fitted.crop((0, edge - near, width, edge)), fitted.crop((0, edge, width, edge + near))
        assert near > 0
        assert above.tobytes() == ImageOps.flip(below).tobytes()


@pytest.mark.parametrize("size", [(1920, 1080), (600, 900), (1500, 400)])
def test_a_circle_stays_round(size: tuple[int, int]) -> None:
    """A circle in the input is a circle in the output, within two pixels."""
    image = Image.new("L", size)
    middle, radius = (size[0] // 2, size[1] // 2), min(size) // 3
    ImageDraw.Draw(image).circle(middle, radius, fill=255)
    plan = plan_fit(*size, KONTEXT_BUCKETS, "auto")
    back = restore(fit(image.convert("RGB"), plan), plan)
    left, top, right, bottom = back.convert("L").point(lambda value: 255 * (value > 127)).getbbox() or (0, 0, 0, 0)
    assert abs((right - left) - (bottom - top)) <= 2
    assert right - left > 0


def test_a_strip_keeps_its_own_shape() -> None:
    """To a square it is given whole, and as it is; a model of one shape is given it in the middle of white."""
    strip = photo(300, 100)
    own = plan_strip(*strip.size, MODELS["tiny-kontext"], "256x256")
    assert fit(strip, own).tobytes() == strip.resize(own.given, Image.Resampling.LANCZOS).tobytes()
    white = fit(strip, plan_strip(*strip.size, MODELS["demo"], "256x256"))
    assert white.size == (256, 256)
    assert white.crop((0, 85, 256, 170)).tobytes() == strip.resize((256, 85), Image.Resampling.LANCZOS).tobytes()
    for edge in ((0, 0, 256, 85), (0, 170, 256, 256)):
        assert white.crop(edge).getcolors() == [((edge[3] - edge[1]) * 256, (255, 255, 255))]
