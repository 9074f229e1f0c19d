"""An edited picture is written in the format that was asked for, and says how it was made."""

import json
from io import BytesIO
from typing import Any

import pytest
from PIL import ExifTags, Image

from tests.support.requests import make_request
from worker.contract.errors import RowError
from worker.contract.messages import EditRequest
from worker.contract.parameters import ImageFormat
from worker.contract.seeds import image_seed
from worker.pictures.encoding import encode, fingerprint_of, require_encodable

FORMATS: list[ImageFormat] = ["png", "webp", "jpg"]
#: 1,500 characters that JSON and UTF-16 write longest, twice and more, and a letter of four bytes.
LONG = "\x01\U0001f642" * 3000


def picture(width: int = 40, height: int = 30) -> Image.Image:
    """Paint a smooth picture."""
    across, down = (Image.linear_gradient("L").rotate(angle).resize((width, height)) for angle in (0, 90))
    return Image.merge("RGB", (across, down, Image.new("L", (width, height), 128)))


def written(request: EditRequest, index: int = 0) -> Image.Image:
    """Encode a picture for a request, and open it again."""
    buffer = BytesIO()
    encode(picture(), buffer, request, index, "exact")
    return Image.open(buffer)


def facts(image: Image.Image) -> dict[str, Any]:
    """Read what a picture says of itself, as a tool that knows PNG or EXIF would."""
    if image.format == "PNG":
        return {key.removeprefix("fleet:"): value for key, value in image.info.items() if key.startswith("fleet:")}
    comment = image.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
    assert comment.startswith(b"UNICODE\0")
    found: dict[str, Any] = json.loads(comment[8:].decode("utf-16-be"))
    return {key: str(value) for key, value in found.items()}


@pytest.mark.parametrize(("image_format", "kind"), [("png", "PNG"), ("webp", "WEBP"), ("jpg", "JPEG")])
def test_the_format_is_the_requests(image_format: ImageFormat, kind: str) -> None:
    """A picture has the format that was asked for; PNG gives the very pixels, the others nearly."""
    image = written(make_request(image_format=image_format, quality=95))
    assert (image.format, image.mode, image.size) == (kind, "RGB", (40, 30))
    worst = max(abs(a - b) for a, b in zip(image.tobytes(), picture().tobytes(), strict=True))
    assert worst == 0 if kind == "PNG" else worst <= 8


@pytest.mark.parametrize("image_format", ["webp", "jpg"])
def test_quality_is_the_requests(image_format: ImageFormat) -> None:
    """A lower quality makes a smaller file."""
    sizes = []
    for quality in (20, 95):
        buffer = BytesIO()
        encode(Image.effect_noise((200, 200), 50).convert("RGB"), buffer, make_request(
            image_format=image_format, quality=quality
        ), 0, "exact")  # fmt: skip
        sizes.append(buffer.tell())
    assert sizes[0] < sizes[1] / 2


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_picture_explains_itself(image_format: ImageFormat) -> None:
    """A picture says its instruction, in any script and with line breaks, and all that it was made with."""
    request = make_request(
        image_format=image_format, prompt='Mach es "rot" 🙂\nund größer.', seed=2**53 - 1, steps=8, guidance=3.5
    )
    for index in range(2):
        assert facts(written(request, index)) == {
            "fingerprint": "a" * 32,
            "instruction": 'Mach es "rot" 🙂\nund größer.',
            "seed": str(image_seed(2**53 - 1, index)),
            "steps": "8",
            "guidance": "3.5",
            "model": "demo",
            "profile": "exact",
        }


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_negative_prompt_is_said_too(image_format: ImageFormat) -> None:
    """Where a negative prompt had its part in a picture, the picture says so."""
    said = facts(written(make_request(image_format=image_format, negative_prompt="", true_cfg_scale=2.0)))
    assert (said["negative_prompt"], said["true_cfg_scale"]) == ("", "2.0")


@pytest.mark.parametrize("image_format", FORMATS)
def test_its_loras_are_said_too(image_format: ImageFormat) -> None:
    """A picture says which it was made with, and with what weights."""
    said = facts(written(make_request(image_format=image_format, lora=("/a.safetensors:0.5", "o/b:1"))))
    assert said["lora"] == "/a.safetensors:0.5, o/b:1"


@pytest.mark.parametrize("image_format", FORMATS)
def test_without_metadata_only_the_fingerprint_is_left(image_format: ImageFormat) -> None:
    """A picture without metadata says nothing but its fingerprint, by which a finished row is recognised."""
    image = written(make_request(image_format=image_format, metadata=False, prompt="secret"))
    assert facts(image) == {"fingerprint": "a" * 32}
    assert fingerprint_of(image) == "a" * 32


@pytest.mark.parametrize("image_format", FORMATS)
def test_long_texts_fit(image_format: ImageFormat) -> None:
    """The longest texts are written whole into a PNG, and shortened to what EXIF holds into the others."""
    request = make_request(
        image_format=image_format,
        prompt=LONG,
        negative_prompt=LONG,
        true_cfg_scale=2.0,
        model=f"/{LONG}",
        lora=(f"/{LONG}",),
    )
    image = written(request)
    said = facts(image)
    assert said["instruction"] == (LONG if image_format == "png" else LONG[:1500])
    assert said["negative_prompt"] == said["instruction"]
    assert fingerprint_of(image) == "a" * 32


@pytest.mark.parametrize("comment", [None, b"", b"ASCII\0\0\0hello", b"UNICODE\0\0", b"UNICODE\0\0[\0]", 7])
def test_somebody_elses_picture_has_no_fingerprint(comment: object) -> None:
    """A picture without our comment, or with one of another kind, carries no fingerprint, and raises nothing."""
    exif = Image.Exif()
    if comment is not None:
        exif[ExifTags.IFD.Exif] = {ExifTags.Base.UserComment: comment}
    buffer = BytesIO()
    picture().save(buffer, "JPEG", exif=exif)
    assert fingerprint_of(Image.open(buffer)) is None


@pytest.mark.parametrize(("image_format", "longest"), [("webp", 16_383), ("jpg", 65_500)], ids=["webp", "jpg"])
def test_a_size_that_the_format_cannot_hold_is_refused(image_format: ImageFormat, longest: int) -> None:
    """A format's longest side is encodable, and one pixel more is refused before anything is edited."""
    require_encodable(image_format, (1, longest))
    buffer = BytesIO()
    encode(Image.new("RGB", (1, longest)), buffer, make_request(image_format=image_format), 0, "exact")
    with pytest.raises(RowError, match=rf"{image_format} holds at most {longest} px .* {longest + 1}x1; use --format"):
        require_encodable(image_format, (longest + 1, 1))
    require_encodable("png", (longest + 1, 1))
