"""Which weights a checkpoint's folder holds, wherever it lies and however it came there, read here and there."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

#: Of each file so many places are read, of so many bytes: training moves all weights, so that any place tells.
_PLACES: Final = 16
_BYTES: Final = 64 * 1024

_DIGITS: Final = 12


def identity_of(folder: Path) -> str:
    """Return a short digest of the parts' configurations and weights: the same for copies, another for other weights.

    Of a file no longer than these places together all is read; of 24 GB in eight files, 8 MB.
    """
    digest = hashlib.sha256()
    for file in _files(folder):
        digest.update(f"{file.relative_to(folder)}:{file.stat().st_size}\n".encode())
        with file.open("rb") as opened:
            for place in _places(file.stat().st_size):
                opened.seek(place)
                digest.update(opened.read(_BYTES))
    return digest.hexdigest()[:_DIGITS]


def _files(folder: Path) -> list[Path]:
    """Name what is loaded of a checkpoint; a name such as model.fp16.safetensors is another variant, which is not."""
    found = [file for kind in ("json", "safetensors", "txt", "model", "jinja") for file in folder.glob(f"*/*.{kind}")]
    return sorted(file for file in found if "." not in file.stem)


def _places(size: int) -> Iterator[int]:
    """Spread places evenly over a file, its beginning (safetensors' header) and its end among them."""
    if size <= _PLACES * _BYTES:
        yield from range(0, size, _BYTES)
    else:
        yield from (place * (size - _BYTES) // (_PLACES - 1) for place in range(_PLACES))
