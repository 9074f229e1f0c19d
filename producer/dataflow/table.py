"""A table of DataFlow's on its way through an operator: read, its rows looked at one by one, and written."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from producer.rows.outputs import has_output
from producer.staging.values import Unsayable, plain


class Storage(Protocol):
    """What an operator uses of a storage of DataFlow's; `FileStorage` has more."""

    def read(self, output_type: Any) -> Any:
        """Return the table of this step: "dict" stands for a list of rows."""

    def write(self, data: Any) -> Any:
        """Write the table of the next step: a list of rows."""


def rows_of(storage: Storage) -> list[dict[str, Any]]:
    """Return the rows of a storage's table."""
    return [dict(row) for row in storage.read(output_type="dict")]


def is_done(row: Mapping[str, Any], column: str) -> bool:
    """Tell whether a row has its output: missing values, and lists of nothing, are none."""
    try:
        return has_output(plain(row.get(column)))
    except Unsayable:  # whatever it is, it is not ours to replace
        return True


def base_folder(storage: Storage) -> Path:
    """Return where relative paths of images begin: beside the first table of the pipeline, as in DataFlow.

    Where that is no file, such as a data set of a hub, they begin in the working folder.
    """
    first = getattr(storage, "first_entry_file_name", None)
    if first and Path(first).is_file():
        return Path(first).resolve().parent
    return Path.cwd()


def earlier_outputs(storage: Storage, rows: list[dict[str, Any]], columns: list[str], output: str) -> Iterator[Any]:
    """Iterate over what an earlier run of this step has written for each row; None where that is nothing.

    It counts as the row's where `columns` are what they were: a row that has changed, or moved, is another one.
    """
    before = _step_file(storage)
    for place, row in enumerate(rows):
        earlier = before[place] if place < len(before) else {}
        is_same = all(_same(row.get(column), earlier.get(column)) for column in columns)
        yield earlier[output] if is_same and is_done(earlier, output) else None


def _step_file(storage: Any) -> list[dict[str, Any]]:
    """Return the rows that this step has written before; none where its storage keeps no file."""
    try:
        step, kind = storage.operator_step + 1, storage.cache_type
        path = os.path.join(storage.cache_path, f"{storage.file_name_prefix}_step{step}.{kind}")  # noqa: PTH118
        if not Path(path).is_file():
            return []
        # FileStorage has no other way to read a file that is not this step's input.
        return [dict(row) for row in storage._load_local_file(path, kind).to_dict(orient="records")]  # noqa: SLF001
    except (AttributeError, TypeError, ValueError):  # another storage, or a file that was cut
        return []


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(plain(one) == plain(other))
    except Unsayable:
        return False
