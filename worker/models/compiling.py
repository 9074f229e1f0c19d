"""Regional compilation: each kind of block once per shape, and its kernels kept for the next start."""

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import torch

from worker.errors import ModelError

#: Shapes that may be compiled in one process; torch's own limit is 8, and beyond it a row would fail. Kontext has 17
#: resolutions, each with a few sizes of a call, and rows may ask for sizes of their own.
_SHAPES: Final = 1024


def compile_blocks(transformer: Any, cache: Path) -> None:
    """Have the transformer's blocks compiled, for static shapes, when each is first used.

    Raises:
        ModelError: the cache folder cannot be used.

    """
    # torch reads it when it first compiles; Triton's folder follows from it.
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(_private(cache.expanduser().absolute()))
    transformer.compile_repeated_blocks(fullgraph=True, dynamic=False)


def any_number_of_shapes() -> AbstractContextManager[object]:
    """Lift torch's limit on shapes for the calls inside: a setting of its compiler holds in one thread alone."""
    limits = {"recompile_limit": _SHAPES, "accumulated_recompile_limit": 16 * _SHAPES}
    lifted: AbstractContextManager[object] = torch._dynamo.config.patch(limits)  # noqa: SLF001 - where torch documents it
    return lifted


def _private(folder: Path) -> Path:
    """Return the folder, made where it is not there; nobody else may write what is run from it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise ModelError(
            f"Compiled kernels cannot be kept in {folder} ({error.strerror}); set FLEET_COMPILE_CACHE."
        ) from None
    if found.st_uid != os.geteuid():
        raise ModelError(
            f"The folder {folder} belongs to another user, and what lies there is run: remove it (in Docker, the volume"
            " compiled), or set FLEET_COMPILE_CACHE to a folder of your own."
        )
    if found.st_mode & 0o022:
        raise ModelError(
            f"Others can write to {folder}, and what lies there is run: chmod 700 it, or set FLEET_COMPILE_CACHE"
            " to a folder of your own."
        )
    if not os.access(folder, os.W_OK):
        raise ModelError(f"Compiled kernels cannot be kept in {folder} (not writable); set FLEET_COMPILE_CACHE.")
    return folder
