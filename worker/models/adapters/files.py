"""A LoRA's file: safetensors and nothing else, known again by what is in it."""

import hashlib
import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from safetensors import SafetensorError, safe_open
from torch import Tensor

from worker.contract.errors import RowError, TransientError, one_line

_DIGITS: Final = 12

#: How torch's own files begin, which are packed pickles, and bare pickles.
_PICKLED: Final = (b"PK\x03\x04", b"\x80")


def identity_of(path: Path, name: str) -> str:
    """Return a short digest of all that is in a file; `name` is what the row calls it.

    A file that is as it was, by size and time, is not read again.

    Raises:
        RowError: it is not there, or no safetensors. Pickled weights are never unpickled.
        TransientError: it cannot be read now.

    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise RowError(f"lora {name}: is no file.")
        _require_safetensors(path, name)
        return _digest(path, found.st_ino, found.st_size, found.st_mtime_ns)
    except (FileNotFoundError, NotADirectoryError):
        raise RowError(f"lora {name}: no such file.") from None
    except (PermissionError, ValueError) as error:  # ValueError: no path at all
        raise RowError(f"lora {name}: cannot be read ({error}).") from None
    except OSError as error:
        raise TransientError(f"lora {name}: cannot be read ({error.strerror or error}).") from None


def tensors_of(path: Path, name: str) -> tuple[dict[str, Tensor], Mapping[str, str]]:
    """Return the tensors of a file, on the CPU, and what its header says beside them.

    Raises:
        RowError: it is damaged.
        TransientError: it cannot be read now.

    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is no mapping
            return tensors, file.metadata() or {}
    except OSError as error:
        raise TransientError(f"lora {name}: cannot be read ({error.strerror or error}).") from None
    except (SafetensorError, ValueError) as error:
        reason = one_line(str(error).rstrip("."), 200)
        raise RowError(f"lora {name}: its file is damaged ({reason}); copy or download it again.") from None


def only_one(names: list[str], name: str) -> str:
    """Return the one that a folder, or a model on the hub, is meant for.

    Raises:
        RowError: there is none, or there are several.

    """
    found = sorted(one for one in names if one.endswith(".safetensors"))
    if not found:
        raise RowError(f"lora {name}: holds no .safetensors, and nothing else is read.")
    if len(found) > 1:
        raise RowError(
            f"lora {name}: holds {len(found)} files (such as {found[0]} and {found[1]}); name one: {name}/{found[0]}."
        )
    return found[0]


def _require_safetensors(path: Path, name: str) -> None:
    with path.open("rb") as file:
        head = file.read(9)
    if head[8:] == b"{":  # after the header's length
        return
    if head.startswith(_PICKLED):
        raise RowError(
            f"lora {name}: holds pickled weights, which run code when they are read; have it as a .safetensors."
        )
    raise RowError(f"lora {name}: is no safetensors file.")


@lru_cache(maxsize=1024)
def _digest(path: Path, inode: int, size: int, changed: int) -> str:
    del inode, size, changed  # they tell whether it is still the same
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:_DIGITS]
