"""In which run folder the rows of a call are made: those of a later step must not take the place of an earlier one's.

A serving is not told which step calls it. Every step numbers its rows from 0, so their pictures would have the same
names. What is in a folder tells: the fingerprints that pictures carry, and whether rows are made of these pictures.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

from PIL import Image

from producer.interface.results import texts_in
from producer.rows.jsontext import encode
from producer.rows.lines import Line
from producer.rows.parser import RowParser
from producer.staging.values import Unsayable, plain
from worker.contract.layout import is_in_row_folder, row_folder
from worker.pictures.encoding import fingerprint_of
from worker.settings.fleet import Settings

#: The id of no run: a fingerprint does not depend on it.
_NOBODYS: Final = "0" * 16

#: Rows by their numbers.
Numbered = Sequence[tuple[int, Mapping[str, Any]]]


def run_folder(save_path: str, rows: Numbered, settings: Settings) -> str:
    """Return the folder of these rows: `save_path`, or where it has others of these numbers, `step_2` in it, and so on.

    The same rows have the same folder again, whatever was made since. A row that has changed among others that have not
    stays where it was.
    """
    for step in count(1):
        folder = save_path if step == 1 else os.path.join(save_path, f"step_{step}")  # noqa: PTH118 - as it was named
        if not _belongs_to_others(Path(folder), rows, settings):
            return folder
    raise AssertionError("unreachable")


def _belongs_to_others(folder: Path, rows: Numbered, settings: Settings) -> bool:
    base = settings.images_from or Path.cwd()
    parser = RowParser(settings, run=_NOBODYS, base=base, run_dir=folder)
    is_taken = False
    for number, row in rows:
        if any(map(_lies_in(folder, base), texts_in(row.get(settings.input_image_key)))):
            return True
        file = folder / row_folder(number, settings.shard_folders) / f"sample_{number}_0.{settings.image_format}"
        if file.exists():
            if (found := _fingerprint(file)) is not None and found == _fingerprint_of_row(parser, number, row):
                return False
            is_taken = True
    return is_taken


class _lies_in:  # noqa: N801 - reads as what it tells
    """Tells whether a path is that of a picture of this folder's own rows."""

    def __init__(self, folder: Path, base: Path) -> None:
        self._folder = os.path.normpath(folder.absolute()) + "/"
        self._base = base

    def __call__(self, path: str) -> bool:
        whole = os.path.normpath(self._base.absolute() / path)
        return whole.startswith(self._folder) and is_in_row_folder(whole.removeprefix(self._folder))


def _fingerprint(file: Path) -> str | None:
    with suppress(OSError, Image.DecompressionBombError, SyntaxError, ValueError), Image.open(file) as image:
        return fingerprint_of(image)
    return None


def _fingerprint_of_row(parser: RowParser, number: int, row: Mapping[str, Any]) -> str | None:
    with suppress(Unsayable, ValueError):
        request = parser.parse(Line(number, number, encode(plain(row)))).request
        return None if request is None else request.fingerprint
    return None
