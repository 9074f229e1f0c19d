"""How an edited picture is written: its format, and what it says of itself in its metadata."""

import json
from collections.abc import Mapping
from typing import IO, Any, Final

from PIL import ExifTags, Image, PngImagePlugin

from worker.contract.errors import RowError
from worker.contract.messages import EditRequest
from worker.contract.parameters import ImageFormat
from worker.contract.turns import turns_of

#: Begins the keywords of a PNG's text chunks.
_PREFIX: Final = "fleet:"

#: zlib level, measured by `python -m tests.bench.encoding`: see docs/input-and-output.md.
_PNG_LEVEL: Final = 3

#: Longest side in pixels: 14 bits in WebP, 16 in JPEG (libjpeg's own limit), 31 in PNG.
_LONGEST: Final[dict[ImageFormat, int]] = {"png": 2**31 - 1, "webp": 16_383, "jpg": 65_500}

#: Characters of each text that go into EXIF, which holds 64 kB in a JPEG: JSON and UTF-16 make at most 12 bytes of one,
#: and there are three texts, and the names of LoRAs. A PNG holds them whole.
_EXIF_CHARACTERS: Final = 1500
_EXIF_LORA: Final = 500


def require_encodable(image_format: ImageFormat, size: tuple[int, int]) -> None:
    """Make sure, before the GPU works for it, that the format can hold a picture of this size.

    Raises:
        RowError: it cannot.

    """
    if max(size) > _LONGEST[image_format]:
        raise RowError(
            f"output: {image_format} holds at most {_LONGEST[image_format]} px a side, "
            f"and the picture would have {size[0]}x{size[1]}; use --format png."
        )


def encode(image: Image.Image, file: IO[bytes], request: EditRequest, index: int, profile: str) -> None:
    """Write the row's RGB image number `index` (0-based) in the request's format, with its metadata.

    Of several turns those of the first come first. `profile` is how the model that made it calculates.
    """
    image.save(file, **_options(request, _facts(request, index, profile)))


def _options(request: EditRequest, facts: Mapping[str, Any]) -> dict[str, Any]:
    if request.image_format == "webp":
        return {"format": "WEBP", "quality": request.quality, "exif": _exif(facts)}
    if request.image_format == "jpg":
        # Colour at full resolution: at half, the edges of a red object bleed, and who trains on it learns that.
        return {"format": "JPEG", "quality": request.quality, "subsampling": "4:4:4", "exif": _exif(facts)}
    return {"format": "PNG", "compress_level": _PNG_LEVEL, "pnginfo": _text_chunks(facts)}


def fingerprint_of(image: Image.Image) -> str | None:
    """Return the fingerprint that an opened picture carries; None if it carries none."""
    if image.format == "PNG":
        return image.info.get(f"{_PREFIX}fingerprint")
    comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment, b"")
    try:
        found = json.loads(comment.removeprefix(_UTF16).decode("utf-16-be"))
        return str(found["fingerprint"])
    except (AttributeError, ValueError, KeyError, TypeError):  # somebody else's comment
        return None


#: How EXIF marks a comment in UTF-16 (EXIF 2.3, table 9).
_UTF16: Final = b"UNICODE\0"


def _facts(request: EditRequest, index: int, profile: str) -> dict[str, Any]:
    """Return what a row's image says of itself, by name."""
    turn, place = turns_of(request)[index // request.num_images], index % request.num_images
    facts: dict[str, Any] = {"fingerprint": request.fingerprint}
    if request.metadata:
        facts |= {
            "instruction": turn.prompt,
            "seed": turn.seeds[place],
            "steps": request.steps,
            "guidance": request.guidance,
            "model": request.model,
            "profile": profile,
        }
        if request.earlier_prompts:
            facts["turn"] = f"{turn.number} of {len(request.prompts)}"
        if request.lora:
            facts |= {"lora": ", ".join(request.lora)}
        if request.task != "imageedit":
            facts["task"] = request.task
        if request.negative_prompt is not None:
            facts |= {"negative_prompt": request.negative_prompt}
        if request.true_cfg_scale > 1:
            facts |= {"true_cfg_scale": request.true_cfg_scale}
    return facts


def _text_chunks(facts: Mapping[str, Any]) -> PngImagePlugin.PngInfo:
    chunks = PngImagePlugin.PngInfo()
    for name, fact in facts.items():
        chunks.add_itxt(_PREFIX + name, str(fact))
    return chunks


def _exif(facts: Mapping[str, Any]) -> Image.Exif:
    most = {"lora": _EXIF_LORA}
    short = {
        name: fact[: most.get(name, _EXIF_CHARACTERS)] if isinstance(fact, str) else fact
        for name, fact in facts.items()
    }
    exif = Image.Exif()
    text = json.dumps(short, ensure_ascii=False).encode("utf-16-be")
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.UserComment: _UTF16 + text}
    return exif
