"""Rows that come with their output, which are left alone: how they are told, and whether their files are there."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

#: Begins what is no path: a URL, or a picture as text.
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|data:")


def has_output(value: Any) -> bool:
    """Tell whether a row's output column names a picture: a path, an image object with a path or bytes, or a list.

    What data sets' writers put where there is none does not: null, "", [], [""], {"path": "", "bytes": null}.
    """
    if isinstance(value, list):
        return any(map(has_output, value))
    if isinstance(value, dict):
        parts = [value[key] for key in ("path", "bytes") if key in value]
        return any(map(has_output, parts)) if parts else bool(value)  # what we do not know is not ours to replace
    return bool(value.strip() if isinstance(value, str) else value)


def absent_files(value: Any, folders: Iterable[Path]) -> list[str]:
    """Return the paths that a row's output column names and that are files in none of the folders; no URLs."""
    beside = list(folders)
    return [name for name in _paths(value) if not any(_is_file(folder / name) for folder in beside)]


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _paths(one)
    elif isinstance(value, dict):
        if not value.get("bytes"):
            yield from _paths(value.get("path"))
    elif isinstance(value, str) and value.strip() and not _SCHEME.match(value):
        yield value


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False
