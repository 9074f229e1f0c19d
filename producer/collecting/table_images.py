"""The column of output images in a table: lists of paths, or of the pictures themselves."""

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from producer.rows.outputs import has_output
from worker.contract.counting import counted
from worker.contract.errors import RowError, RunError
from worker.storage import objects


def paths_in(value: Any) -> list[str] | None:
    """Return what a row's output column names as a list of paths; None where it is something else.

    Rows that came with their output have it in any form that data sets have: a path, an image object, or a list.
    """
    if not has_output(value):
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict) and value.keys() <= {"path", "bytes"} and not value.get("bytes"):
        return paths_in(value.get("path"))
    if isinstance(value, list):
        found = [paths_in(one) for one in value]
        return None if None in found else [path for paths in found for path in paths or ()]
    return None


class Embedding:
    """Reads pictures for a table that is to hold them."""

    def __init__(self, folders: Sequence[Path], store: str | None = None) -> None:
        """Relative paths begin in the first of the folders in which there is such a file.

        `store`: the prefix at an object store where the run's own pictures are.
        """
        self._folders = folders
        self._store = store
        self._absent = 0
        self._first = ""

    def pictures(self, value: Any) -> list[dict[str, Any]]:
        """Return the pictures of a row's output column, as {"bytes", "path"}; of a file that is not there, no bytes.

        Raises:
            OSError: there is a file, and it cannot be read.
            RunError: the same of an object.

        """
        found = paths_in(value)
        if found is not None:
            return [{"bytes": self._read(path), "path": path} for path in found]
        values = value if isinstance(value, list) else [value]
        return [self._of_object(one) for one in values]

    def sentences(self) -> list[str]:
        """Return what there is to say of pictures that are missing."""
        if not self._absent:
            return []
        which = counted(self._absent, "picture is not there", "pictures are not there")
        return [f"{which} and {'has' if self._absent == 1 else 'have'} no bytes in the output (such as {self._first})."]

    def _of_object(self, value: Any) -> dict[str, Any]:
        """Return the picture of a row that came with one, in base64 as we read a table's bytes."""
        path = value.get("path") if isinstance(value, dict) else value
        named = path if isinstance(path, str) else None
        data = _decoded(value.get("bytes")) if isinstance(value, dict) else None
        return {"bytes": self._read(named or "") if data is None else data, "path": named}

    def _read(self, path: str) -> bytes | None:
        is_stored = self._store is not None and path.startswith(f"{self._store}/")
        data = _object(path) if is_stored else self._file(path)
        if data is None:
            self._absent += 1
            self._first = self._first or path or "one without a name"
        return data

    def _file(self, path: str) -> bytes | None:
        for folder in self._folders:
            try:
                return (folder / path).read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
                continue
        return None


def _object(url: str) -> bytes | None:
    try:
        return objects.whole(url)
    except RowError as error:
        raise RunError(f"The picture {url} cannot be read for the output: {error}.") from None


def _decoded(text: Any) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None
