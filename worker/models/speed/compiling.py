"""Regional compilation: a block's code once per shape and layout of its input, kept for the next start."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch

from worker.contract.errors import ModelError

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


@contextmanager
def compiler_settings() -> Iterator[None]:
    """Set torch's compiler for the calls inside, since what is set for it holds in one thread alone.

    The limit on shapes is lifted. Products are not padded: whether that is faster would be tried on the device while it
    compiles, so that two workers, or two starts, might round a row differently. And what diffusers chooses cuDNN's
    attention with is declared safe to keep: torch would keep nothing but the kernels of a block in which it stands, and
    trace it anew at every start.
    """
    limits = {"recompile_limit": _SHAPES, "accumulated_recompile_limit": 16 * _SHAPES}
    # Their only arguments are names of backends, which are part of what is compiled and so of its key.
    safe = {f"torch.nn.attention.{name}": "1" for name in ("_sdpa_kernel", "_backend_from_string")}
    with (
        torch._dynamo.config.patch(limits),  # noqa: SLF001 - where torch documents it
        torch._inductor.config.patch(unsafe_marked_cacheable_functions=safe, shape_padding=False),  # noqa: SLF001 - likewise
    ):
        yield


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
