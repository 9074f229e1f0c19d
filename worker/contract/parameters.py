"""The parameters of an edit and their ranges, the same in settings, in a row's own object and on the network."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

#: 53 bits: the integers that any JSON reader holds exactly.
Seed = Annotated[int, Field(ge=0, lt=2**53)]

#: Denoising steps.
Steps = Annotated[int, Field(ge=1, le=1000)]

#: Strength of the distilled guidance.
Guidance = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]

#: Strength of classifier-free guidance by a negative prompt; 1 is none. Above 1 each step costs twice the time.
TrueCfgScale = Annotated[float, Field(ge=1, le=100, allow_inf_nan=False)]

#: Most images of one row, those of all its turns together.
MOST_IMAGES: Final = 64

#: Images to make of one row.
NumImages = Annotated[int, Field(ge=1, le=MOST_IMAGES)]

#: Longest instruction, in characters. Kontext's T5 reads 512 tokens, about 2,500 characters of English; more than this
#: is no instruction, but a mistake in the data.
LONGEST_PROMPT: Final = 10_000

Prompt = Annotated[str, Field(max_length=LONGEST_PROMPT)]

#: Most pixels of an input picture. A few kilobytes can unpack to gigabytes, so it is checked before decoding.
MAX_PIXELS: Final = 100_000_000

#: What is made of a row's images where it has several: the first alone is edited, or all, side by side, as one picture,
#: or the first, with the others for references of their own, by a model that takes several.
MultiImage = Literal["first", "stitch", "references"]

#: Which of a row's user turns count: the last alone is its instruction, or each is, applied one after the other.
Turns = Literal["last", "each"]

#: What becomes of a row whose instruction is longer than the model reads: it is edited by what is read, or is an error.
LongInstruction = Literal["warn", "error"]

#: How an output row names its pictures: below the run folder as it was named, from the output's folder, or absolutely.
OutputPaths = Literal["as-given", "relative", "absolute"]

#: What an output that is a table holds of its pictures: their paths, or themselves.
OutputImages = Literal["paths", "bytes"]

#: Most folders of rows that lie in one folder, in runs that have them so: file systems and people list that many.
ShardFolders = Annotated[int, Field(ge=1, le=10_000)]

#: What is made of a row: an edit of its image, or a picture from its instruction alone. By DataFlow's names.
Task = Literal["imageedit", "text2image"]
TASKS: Final[tuple[Task, ...]] = ("imageedit", "text2image")

#: Formats of the edited images; the name is also the file's suffix.
ImageFormat = Literal["png", "webp", "jpg"]

#: Of lossy formats; Pillow advises against more than 95 for JPEG, where files grow and hardly improve.
Quality = Annotated[int, Field(ge=1, le=100)]

#: How often a run's rows have their turn beside others: each step twice as often (`worker.delivery.turns`).
Priority = Annotated[int, Field(ge=0, le=9)]
DEFAULT_PRIORITY: Final = 5

#: Sides of an explicit size in pixels, and the most pixels of both: four times what Kontext was trained at.
_SHORTEST, _LONGEST, _AREA = 64, 4096, 2048 * 2048


def exact_size(size: str) -> tuple[int, int] | None:
    """Return the width and height of an explicit size such as "1280x720"; None for a size by name."""
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size, re.ASCII)
    return None if found is None else (int(found[1]), int(found[2]))


def rounded_size(size: str, multiple: int) -> str:
    """Return the size with each side rounded down to a multiple of what the model takes; one by name as it is."""
    if (exact := exact_size(size)) is None:
        return size
    width, height = (side - side % multiple for side in exact)
    return f"{width}x{height}"


def _known_size(size: str) -> str:
    if size in {"auto", "input", "bucket"}:
        return size
    if (exact := exact_size(size)) is None:
        raise ValueError("expected auto, input, bucket, or a width and a height such as 1280x720")
    if not (min(exact) >= _SHORTEST and max(exact) <= _LONGEST and exact[0] * exact[1] <= _AREA):
        raise ValueError(f"expected sides of {_SHORTEST} to {_LONGEST} px, and no more than 2048x2048 px in all")
    return size


#: How the output's size follows from the input's: see `worker.contract.buckets.plan_fit`.
Size = Annotated[str, AfterValidator(_known_size)]
