"""A row's files in the run folder: naming them, writing them whole or not at all, knowing them again."""

import os
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from PIL import Image, PngImagePlugin

from worker.contract import EditRequest
from worker.durable import sync_folder
from worker.errors import RowError

#: Text chunk of the PNG that holds the row's fingerprint.
_FINGERPRINT = "fleet:fingerprint"

#: zlib level. Encoding runs beside the GPU; the level only has to keep up with it.
_COMPRESSION = 4


def sample_paths(row: int, num_images: int) -> tuple[str, ...]:
    """Name a row's images, relative to the run folder, as DataFlow does."""
    return tuple(f"sample_{row}/sample_{row}_{index}.png" for index in range(num_images))


def save(request: EditRequest, images: Sequence[Image.Image]) -> tuple[str, ...]:
    """Write a row's images; return their paths relative to the run folder.

    Each is written under a temporary name, synced, and renamed, so that a final name always holds a whole
    picture, whenever the machine dies.

    Raises:
        RowError: the folder cannot be written.

    """
    paths = sample_paths(request.row, request.num_images)
    metadata = PngImagePlugin.PngInfo()
    metadata.add_text(_FINGERPRINT, request.fingerprint)
    folder = Path(request.output_dir) / f"sample_{request.row}"
    try:
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            sync_folder(folder.parent)
        for path, image in zip(paths, images, strict=True):
            _write(Path(request.output_dir) / path, image, metadata)
        sync_folder(folder)
    except FileNotFoundError:
        # Never made here: pictures in a folder of the same name on another machine would be lost to the user.
        raise RowError(
            f"run folder {request.output_dir}: is not on the worker's machine; producer and workers must share it."
        ) from None
    except OSError as error:
        raise RowError(f"output folder {folder}: cannot be written ({error.strerror or error}).") from None
    return paths


def finished(request: EditRequest) -> bool:
    """Tell whether the row's whole set of images is there, made for just this request, each decodable to its end."""
    return all(
        _is_whole(Path(request.output_dir) / path, request.fingerprint)
        for path in sample_paths(request.row, request.num_images)
    )


def _is_whole(path: Path, fingerprint: str) -> bool:
    try:
        with Image.open(path) as image:
            if image.info.get(_FINGERPRINT) != fingerprint:
                return False
            image.load()  # a truncated file does not count
            return True
    except (OSError, ValueError, SyntaxError):
        return False


def _write(path: Path, image: Image.Image, metadata: PngImagePlugin.PngInfo) -> None:
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            image.save(file, format="PNG", pnginfo=metadata, compress_level=_COMPRESSION)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
