"""What comes out of a training: the checkpoint in diffusers' own layout, its model card, and its contact sheet."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import torch
from PIL import Image, ImageOps

from worker.contract.errors import ModelError
from worker.models.demo.edits import EDITS
from worker.models.demo.measuring import Measured, measure, table
from worker.models.demo.phrases import HELD_OUT
from worker.models.demo.sheet import grid
from worker.models.weights.loading import load_pipeline

_CARD: Final = Path(__file__).with_name("card.md")

#: Beside the weights, how they came about.
_TRAINING: Final = "training.json"


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a checkpoint was trained."""

    seed: int
    #: What computed.
    device: str
    #: Version.
    torch: str
    #: Steps of the autoencoder, in each round, and of the transformer.
    autoencoder: Sequence[int]
    transformer: int
    #: What the steps of the one and of the other took.
    minutes: Sequence[int]


def require_place(folder: Path) -> None:
    """Refuse a folder that holds anything but a checkpoint, since a new one takes its place.

    Raises:
        ModelError: it does.

    """
    if folder.exists() and not (
        folder.is_dir() and ((folder / "model_index.json").is_file() or not any(folder.iterdir()))
    ):
        raise ModelError(f"{folder} holds something else than a checkpoint; name an empty folder, or a new one.")


def export(pipeline: Any, folder: Path, training: Training) -> None:
    """Write the weights in bf16, and have them take the place of what the folder held.

    Raises:
        ModelError: the folder holds something else than a checkpoint.

    """
    require_place(folder)
    beside, before = (folder.with_name(f".{folder.name}.{which}") for which in ("new", "old"))
    for left in (beside, before):
        shutil.rmtree(left, ignore_errors=True)
    pipeline.to(torch.bfloat16).save_pretrained(beside, safe_serialization=True)
    for file in beside.rglob("*.safetensors"):
        file.chmod(0o644)  # they are made for their owner alone
    (beside / _TRAINING).write_text(json.dumps(asdict(training), indent=2) + "\n", encoding="utf-8")
    if folder.exists():
        folder.rename(before)
    beside.rename(folder)
    shutil.rmtree(before, ignore_errors=True)


def photographs(folder: Path) -> dict[str, Image.Image]:
    """Read the photographs of a folder, as squares of 256 × 256 pixels.

    Raises:
        ModelError: there is none.

    """
    found = {file.stem: Image.open(file).convert("RGB") for file in sorted(folder.glob("*.jpg"))}
    if not found:
        raise ModelError(f"{folder} holds no photograph, *.jpg; name another folder with --photos.")
    return {name: ImageOps.fit(image, (256, 256)) for name, image in found.items()}


def describe(folder: Path, photos: Mapping[str, Image.Image]) -> None:
    """Measure a checkpoint on photographs, on the CPU, and write its model card and its contact sheet beside it.

    Raises:
        ModelError: the folder holds no checkpoint, or none that was trained here.

    """
    training = _training_of(folder)
    pipeline = load_pipeline(folder, torch.device("cpu"))
    # In phrasings that it has not learned; the sheet shows the first of each.
    first, *others = (
        measure(pipeline, photos, dict(zip(HELD_OUT, phrases, strict=True)))
        for phrases in zip(*HELD_OUT.values(), strict=True)
    )
    found = [*first, *(one for some in others for one in some)]
    _sheet(photos, first).save(folder / "edits.jpg", quality=85)
    values = {
        "seed": f"{training.seed}",
        "device": training.device,
        "torch": training.torch,
        "rounds": " and ".join(f"{steps}" for steps in training.autoencoder),
        "steps": f"{training.transformer}",
        "minutes": " and ".join(f"{some}" for some in training.minutes),
        "photos": f"{len(photos)}",
        "phrasings": f"{1 + len(others)}",
        "table": table(found),
        "misunderstood": ", ".join(sorted({f'"{one.instruction}"' for one in found if one.nearest != one.name}))
        or "none",
        "seconds": f"{median(one.seconds for one in found):.1f}",
        "cores": f"{torch.get_num_threads()}",
    }
    card = _CARD.read_text(encoding="utf-8")
    for name, value in values.items():
        card = card.replace(f"{{{name}}}", value)
    (folder / "README.md").write_text(card, encoding="utf-8")


def _training_of(folder: Path) -> Training:
    file = folder / _TRAINING
    try:
        return Training(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise ModelError(
            f"{file} is not there or broken; name a checkpoint that was trained here with --out."
        ) from None


def _sheet(photos: Mapping[str, Image.Image], found: Sequence[Measured]) -> Image.Image:
    rows = [
        [image, *(one.picture for name in EDITS for one in found if (one.photo, one.name) == (photo, name))]
        for photo, image in photos.items()
    ]
    return grid(["photograph", *EDITS], rows, side=112)
