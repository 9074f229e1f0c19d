"""The rows of a run, as a program has them: a file's path, or anything that yields mappings."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from producer.rows.lines import read_lines
from producer.rows.source import COPY, Source, taken
from producer.run.failures import folder_errors
from producer.staging.stage import stage
from worker.contract.errors import RowsError, RunError
from worker.contract.urls import shown
from worker.settings.fleet import Settings

#: A file's path; an iterable of mappings; or a table of pandas, polars, pyarrow or Hugging Face `datasets`.
Rows = str | PathLike[str] | Iterable[Any]

#: Where pictures go that stood in the rows, in the run folder.
_PICTURES: Final = "inputs"


@contextmanager
def taken_rows(rows: Rows, folder: Path, settings: Settings, numbers: Iterable[int] | None) -> Iterator[Source]:
    """Yield the input that rows are; rows that are no file are written into the run folder first.

    Relative paths of a file's images begin where those of a command would, of other rows in the working folder.

    Raises:
        RowsError: what was given are no rows, or none at all, or their numbers are none.
        RunError: the file cannot be read, or the folder not be written.

    """
    if isinstance(rows, str | PathLike):
        if "://" in str(rows):
            raise RunError(f"{shown(str(rows))} is a URL; bring the file here, or hand over its rows.")
        if numbers is not None:
            raise RowsError("Numbers go with rows, and a file's rows have the numbers of their places; leave them out.")
        with _file(Path(rows), folder) as source:
            yield source
        return
    with folder_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    copy = folder.absolute() / f"{COPY}{uuid4().hex}"
    pictures = folder.absolute() / _PICTURES
    try:
        # What the rows' own source raises comes through as it is.
        if not stage(rows, copy, pictures=pictures, image_keys=[settings.input_image_key], numbers=numbers):
            raise RowsError("There are no rows.")
        yield Source(path=copy, base=Path.cwd(), resolved=None)
    finally:
        copy.unlink(missing_ok=True)


@contextmanager
def _file(named: Path, folder: Path) -> Iterator[Source]:
    if not named.exists():
        raise RunError(f"There is no file {named}.")
    if named.is_dir():
        raise RunError(f"{named} is a folder; name a file with a row per line.")
    with ExitStack() as stack:
        with folder_errors(folder):
            source = stack.enter_context(taken(named, folder))
        if next(read_lines(source.path), None) is None:
            raise RowsError(f"{named} holds no rows.")
        yield source
