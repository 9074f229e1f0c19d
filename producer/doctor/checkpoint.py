"""Whether a folder holds a whole checkpoint, as far as names, sizes and headers tell: no tensor is read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from worker.contract.catalog import objection
from worker.contract.model_spec import ModelSpec

#: Longest header that safetensors itself takes, in bytes.
_LONGEST_HEADER: Final = 100_000_000

#: Files that a sentence lists.
_NAMED: Final = 3


def trouble_with(folder: Path, spec: ModelSpec) -> str | None:
    """Say what is wrong with a model's checkpoint, as a clause after its name; None where it is whole."""
    index = _json(folder / "model_index.json")
    if not isinstance(index, dict):
        return "holds no diffusers model: model_index.json is missing or broken"
    if (why := objection(index, spec)) is not None:
        return why
    parts = [name for name, value in index.items() if isinstance(value, list) and value and value[0] is not None]
    lacking = [problem for part in parts for problem in _lacking(folder, part)]
    if not lacking:
        return None
    more = f", … and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
    return f"is incomplete: {', '.join(lacking[:_NAMED])}{more}"


def weight_bytes(folder: Path) -> int:
    """Return how much the weights in a folder are."""
    return sum(file.stat().st_size for file in folder.glob("*/*.safetensors") if file.exists())


def _lacking(folder: Path, part: str) -> Iterator[str]:
    """Name the files of a part that are not there, or cut. Tokenizers and schedulers have no config.json."""
    here = folder / part
    if not here.is_dir() or not any(here.iterdir()):
        yield f"no {part}"
        return
    if not (here / "config.json").exists():
        return
    for name in sorted(_shards(here)):
        file = here / name
        if not file.exists():
            yield f"no {part}/{name}"
        elif (has := file.stat().st_size) != (needs := _needs(file)):
            yield f"{part}/{name} is damaged" if needs is None else f"{part}/{name} has {has:,} of {needs:,} bytes"


def _shards(part: Path) -> set[str]:
    """Return the names of a part's weights: those that its index lists, or the only file."""
    # A name such as model.fp16.safetensors is another variant of the same weights, which is not loaded.
    indexes = [path for path in part.glob("*.safetensors.index.json") if path.name.count(".") == 3]  # noqa: PLR2004
    for path in indexes:
        index: Any = _json(path)
        if isinstance(index, dict) and isinstance(index.get("weight_map"), dict):
            return {str(name) for name in index["weight_map"].values()}
    return {file.name for file in part.glob("*.safetensors") if "." not in file.stem} or {"*.safetensors"}


def _needs(file: Path) -> int | None:
    """Return how many bytes a safetensors file has by its header; None where that is none."""
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header: Any = json.loads(stream.read(length)) if length < _LONGEST_HEADER else None
        ends = [value["data_offsets"][1] for name, value in header.items() if name != "__metadata__"]
    except (OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
        return None
    return 8 + length + int(max(ends, default=0))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return None
