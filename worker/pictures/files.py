"""A row's files in the run folder: naming them, writing them whole or not at all, knowing them again."""

import os
import re
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack, suppress
from functools import partial
from itertools import product
from pathlib import Path
from typing import IO
from uuid import uuid4

from PIL import Image

from worker.contract.errors import RowError, TransientError
from worker.contract.layout import row_folder
from worker.contract.messages import EditRequest
from worker.pictures.confine import confined
from worker.pictures.durable import sync_folder
from worker.pictures.encoding import encode, fingerprint_of
from worker.pictures.transient_errors import may_pass


def sample_paths(request: EditRequest) -> tuple[str, ...]:
    """Name a row's images, relative to the run folder, as DataFlow does; a run may have its rows in shards."""
    name = f"{row_folder(request.row, request.shard_folders)}/sample_{request.row}"
    return tuple(f"{name}_{index}.{request.image_format}" for index in range(request.num_images))


def turn_paths(request: EditRequest) -> tuple[str, ...]:
    """Name the images of a row's turns before the last, likewise, turn by turn; none where it has one turn."""
    folder, turns = row_folder(request.row, request.shard_folders), range(1, len(request.prompts))
    images = range(request.num_images)
    return tuple(f"{folder}/turn_{turn}_{index}.{request.image_format}" for turn, index in product(turns, images))


def sample_folder(request: EditRequest) -> Path:
    """Return the folder of a row's images."""
    return Path(request.output_dir) / row_folder(request.row, request.shard_folders)


def save(
    request: EditRequest,
    images: Iterable[Image.Image],
    *,
    profile: str,
    confirm: Callable[[], None],
    root: Path | None = None,
) -> tuple[str, ...]:
    """Write a row's images, and drop those of its older forms; return their paths relative to the run folder.

    The images are in order, those of its first turn first. `profile` is how the model that made them calculates, for
    their metadata.

    Each is written under a temporary name, synced, and renamed, so that a final name always holds a whole
    picture, whenever the machine dies. `confirm` is called between: what it raises leaves everything as it was.

    Raises:
        RowError: the folder cannot be written, or lies out of `root`.
        TransientError: it cannot be written now: the disk is full, read-only, or not there.

    """
    paths = _all_paths(request)
    folder = sample_folder(request)
    confined(folder, root, "FLEET_OUTPUT_ROOT")
    try:
        with ExitStack() as temporaries:
            if not folder.is_dir():
                _make(folder, below=Path(request.output_dir))
            written = [
                _write(
                    folder / Path(path).name,
                    partial(encode, image, request=request, index=index, profile=profile),
                    temporaries,
                )
                for index, (path, image) in enumerate(zip(paths, images, strict=True))
            ]
            confirm()
            for temporary, path in zip(written, paths, strict=True):
                temporary.rename(Path(request.output_dir) / path)
            _drop_others(folder, keep={Path(path).name for path in paths})
            sync_folder(folder)
    except OSError as error:
        raise _unwritable(request, error) from None
    return paths


def _make(folder: Path, *, below: Path) -> None:
    """Make a row's folder and, where it lies in one, its shard; the run folder itself is never made."""
    if (shard := folder.parent) != below:
        shard.mkdir(exist_ok=True)
        # Also where another worker has just made it: its own look to the disk may still be to come.
        sync_folder(below)
    folder.mkdir(exist_ok=True)
    sync_folder(shard)


def _unwritable(request: EditRequest, error: OSError) -> RowError:
    if not Path(request.output_dir).is_dir():
        # Never made here: pictures in a folder of the same name on another machine would be lost to the user.
        return TransientError(
            f"run folder {request.output_dir}: is not on the worker's machine; producer and workers must share it."
        )
    kind = TransientError if may_pass(error, writing=True) else RowError
    return kind(f"output folder {sample_folder(request)}: cannot be written ({error.strerror or error}).")


def finished(request: EditRequest) -> bool:
    """Tell whether the row's whole set of images is there, made for just this request, each decodable to its end."""
    folder = Path(request.output_dir)
    return all(is_whole(folder / path, request.fingerprint) for path in _all_paths(request))


def _all_paths(request: EditRequest) -> tuple[str, ...]:
    return (*turn_paths(request), *sample_paths(request))


def is_whole(path: Path, fingerprint: str) -> bool:
    """Tell whether a picture is there, made for the request of this fingerprint, and decodable to its end."""
    try:
        with Image.open(path) as image:
            if fingerprint_of(image) != fingerprint:
                return False
            image.load()  # a truncated file does not count
            return True
    # Whatever a damaged file makes its decoder stumble over, it is no whole picture, and is made again.
    except Exception:
        return False


def drop_temporaries(request: EditRequest) -> None:
    """Drop what workers that died have left of a row."""
    with suppress(OSError):  # no folder, no temporaries; and one that is left is no reason to fail
        _drop_others(sample_folder(request), keep=(), images=False)


def _drop_others(folder: Path, *, keep: Collection[str], images: bool = True) -> None:
    """Drop temporaries of workers that died, and the images of a form of the row that had more, or another format."""
    image = rf"({folder.name}|turn_\d+)_\d+\.(png|webp|jpg)"
    stale = re.compile(rf"\.{image}\.[0-9a-f]{{32}}\.tmp" + (rf"|{image}" if images else ""))
    for path in folder.iterdir():
        if path.name not in keep and stale.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _write(path: Path, encoder: Callable[[IO[bytes]], None], temporaries: ExitStack) -> Path:
    """Write an image under a temporary name; return it. What is still there when `temporaries` closes is removed."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    temporaries.callback(temporary.unlink, missing_ok=True)
    with temporary.open("xb") as file:
        encoder(file)
        file.flush()
        os.fsync(file.fileno())
    return temporary
