"""Rows that Python holds, written into a file that the producer reads."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from operator import index
from pathlib import Path
from typing import Any
from uuid import uuid4

from PIL import Image

from producer.rows.jsontext import encode
from producer.rows.numbered import header, numbered_line
from producer.rows.numbers import LARGEST, Numbers
from producer.staging.pictures import Pictures
from producer.staging.tables import image_columns, rows_of
from producer.staging.values import Unsayable, key_of, kind_of, plain
from worker.contract.errors import RowsError, RunError, one_line
from worker.pictures.durable import sync_folder


def stage(
    rows: Any, file: Path, *, pictures: Path, image_keys: Sequence[str], numbers: Iterable[int] | None = None
) -> int:
    """Write rows into a file, whole or not at all, and return how many there are.

    `rows`: mappings from any iterable, each taken once; or a table of pandas, polars or pyarrow, or a data set of
    Hugging Face's. `pictures`: the folder of what is in memory as a picture, in the columns `image_keys`, in those that
    a data set says hold pictures, and wherever a value is a PIL.Image; each file is named by what is in it, so that the
    same rows give the same text again. `numbers`: each row's own, which names its sample and decides its seed; without
    them rows count from 0.

    Raises:
        RowsError: a row is none, or holds what JSON cannot; or a number is none, or there twice.
        RunError: the file, or a picture, cannot be written.
        Exception: whatever `rows` or `numbers` raise.

    """
    found, keys, store = rows_of(rows), {*image_keys, *image_columns(rows)}, Pictures(pictures)
    temporary = file.with_name(f".{file.name}.{uuid4().hex}.tmp")
    count = 0
    try:
        with _written(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            stream = temporary.open("xb")
        with stream:
            if numbers is not None:
                stream.write(header())
            for number, row in enumerate(found) if numbers is None else _numbered(found, numbers):
                with _written(file):
                    text = _text(row, number, keys, store)
                    stream.write(text.encode() + b"\n" if numbers is None else numbered_line(number, text))
                count += 1
            with _written(file):
                store.sync()
                stream.flush()
                os.fsync(stream.fileno())
        with _written(file):
            temporary.replace(file)
            sync_folder(file.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return count


def _text(row: Any, number: int, image_keys: Collection[str], store: Pictures) -> str:
    """Return the JSON text of a row, once its pictures are files."""
    if not isinstance(row, Mapping):
        raise RowsError(f"row {number}: expected a dict, found {kind_of(row)}.")
    fields: dict[str, Any] = {}
    key = None
    try:
        for key, value in row.items():
            is_image = key in image_keys or isinstance(value, Image.Image)
            fields[key_of(key)] = store.staged(value) if is_image else plain(value)
        return encode(fields)
    except Unsayable as error:
        raise RowsError(one_line(f"row {number}, {key}: {error}")) from None
    except ValueError as error:  # an integer of thousands of digits
        raise RowsError(one_line(f"row {number}: cannot be written as JSON ({error}).")) from None


def _numbered(rows: Iterator[Any], numbers: Iterable[int]) -> Iterator[tuple[int, Any]]:
    """Pair rows with their numbers."""
    given, seen = iter(numbers), Numbers()
    for place, row in enumerate(rows):
        try:
            number = next(given)
        except StopIteration:
            raise RowsError(f"There are only {place} numbers, and more rows; each row needs its own.") from None
        yield _checked(number, place, seen), row
    for number in given:
        raise RowsError(f"There are fewer rows than numbers: none for {number!r:.40}.")


def _checked(number: Any, place: int, seen: Numbers) -> int:
    try:
        found = index(number)
    except TypeError:
        found = -1
    if isinstance(number, bool) or not 0 <= found <= LARGEST:
        raise RowsError(f"numbers[{place}]: expected an integer from 0 to 2⁵³ - 1, found {number!r:.40}.")
    if not seen.add(found):
        raise RowsError(f"numbers[{place}]: {found} is there twice, and names one row's files.")
    return found


@contextmanager
def _written(file: Path) -> Iterator[None]:
    """Put into a sentence what stands in the way of writing; what the user's own iterable raises is none of it."""
    try:
        yield
    except OSError as error:
        what = error.filename or file
        raise RunError(f"The rows cannot be written to {what}: {error.strerror or error}.") from None
