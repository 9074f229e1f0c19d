"""From disk onto the device: GB/s of the worker's way and of plain diffusers', the files not in memory and in it."""

import gc
import os
from contextlib import suppress
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import torch

from tests.bench.loading import WAYS, load, make
from tests.gpu.notes import Notes
from tests.gpu.scene import Scene
from worker.models.demo import CHECKPOINT

#: Heads of 32 numbers: 5.4 GB in bf16.
_HEADS = 96


def measure(scene: Scene, notes: Notes) -> None:
    """Load each way, first what the host has just forgotten, then what it knows."""
    table = notes.table(
        "One after the other in one process:", ["way", "files", "s", "GB/s", "host's own memory grew, GB"]
    )
    rates = list[str]()
    with TemporaryDirectory(dir="/var/tmp") as name:  # on a disk; of a limit's end what is left is no result
        folder = Path(name)
        if scene.is_tiny:
            copytree(CHECKPOINT, folder / "model")
            size = sum(file.stat().st_size for file in folder.rglob("*.safetensors"))
        else:
            size = make(folder, _HEADS)
        _release(scene)
        notes.fact("GB", f"{size / 1e9:.2f}")
        for way in reversed(WAYS):  # the worker's first
            for where in ("from disk", "in the host's memory"):
                if where == "from disk":
                    _forget(folder)
                seconds, grew = load(way, folder / "model")
                table.row(way, where, f"{seconds:.2f}", f"{size / 1e9 / seconds:.2f}", f"{grew / 1e9:.2f}")
                if way == "the worker's":
                    rates.append(f"{size / 1e9 / seconds:.2f} GB/s {where}")
                    notes.headline(", ".join(rates))
                _release(scene)


def _forget(folder: Path) -> None:
    """Have the host forget the files' contents, which are on the disk by then."""
    for path in folder.rglob("*.safetensors"):
        with suppress(OSError), path.open("rb") as file:  # no file system must
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _release(scene: Scene) -> None:
    gc.collect()
    if scene.device.type == "cuda":
        torch.cuda.empty_cache()
