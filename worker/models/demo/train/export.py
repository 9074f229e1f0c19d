"""What comes out of a training: the checkpoint in diffusers' own layout, its model card, and its contact sheet."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import torch
from PIL import Image, ImageOps

from worker.errors import ModelError
from worker.models.demo.edits import EDITS
from worker.models.demo.measuring import Measured, measure, table
from worker.models.demo.phrases import HELD_OUT
from worker.models.demo.sheet import grid
from worker.models.demo.train.autoencoder import ROUNDS
from worker.models.demo.train.flow import STEPS
from worker.models.loading import load_pipeline

_CARD: Final = Path(__file__).with_name("card.md")


def require_place(folder: Path) -> None:
    """Refuse a folder that holds anything but a checkpoint, since a new one takes its place.

    Raises:
        ModelError: it does.

    """
    if folder.exists() and not (
        folder.is_dir() and ((folder / "model_index.json").is_file() or not any(folder.iterdir()))
    ):
        raise ModelError(f"{folder} holds something else than a checkpoint; name an empty folder, or a new one.")


def export(pipeline: Any, folder: Path) -> None:
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
        ModelError: the folder holds no checkpoint.

    """
    pipeline = load_pipeline(folder, torch.device("cpu"))
    # Each in a phrasing that it has not learned.
    found = measure(pipeline, photos, {name: HELD_OUT[name][0] for name in EDITS})
    _sheet(photos, found).save(folder / "edits.jpg", quality=85)
    values = {
        "rounds": " and ".join(f"{one.steps}" for one in ROUNDS),
        "steps": f"{STEPS}",
        "photos": f"{len(photos)}",
        "table": table(found),
        "seconds": f"{median(one.seconds for one in found):.1f}",
        "cores": f"{torch.get_num_threads()}",
    }
    card = _CARD.read_text(encoding="utf-8")
    for name, value in values.items():
        card = card.replace(f"{{{name}}}", value)
    (folder / "README.md").write_text(card, encoding="utf-8")


def _sheet(photos: Mapping[str, Image.Image], found: Sequence[Measured]) -> Image.Image:
    rows = [
        [image, *(one.picture for name in EDITS for one in found if (one.photo, one.name) == (photo, name))]
        for photo, image in photos.items()
    ]
    return grid(["photograph", *EDITS], rows, side=112)
