"""The output as parquet. It needs pyarrow, which is not in the base install: import this only where it is."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import parquet

from producer.collecting.shapes import Shape
from producer.collecting.table_images import Embedding, paths_in
from producer.rows.jsontext import decode, encode
from worker.contract.errors import RunError

#: Rows of a row group, and bytes of text and of pictures after which it is large enough.
_MOST_ROWS: Final = 1000
_ROOM: Final = 2**26

_PATHS: Final = pa.list_(pa.string())

#: As the library `datasets` has them, and what tells it that they are pictures: every version reads "Sequence".
_PICTURES: Final = pa.list_(pa.struct({"bytes": pa.binary(), "path": pa.string()}))
_FEATURE: Final = {"feature": {"_type": "Image"}, "_type": "Sequence"}

_PLAIN: Final[dict[type | None, Callable[[], Any]]] = {
    None: pa.null, bool: pa.bool_, int: pa.int64, float: pa.float64, str: pa.string, object: pa.string,
}  # fmt: skip


class Table:
    """The table that a jsonl of rows becomes: its columns are known once all rows were seen."""

    def __init__(self, rows: Path, columns: Sequence[str], embedding: Embedding | None, *, paths: str) -> None:
        """Look at all rows. `columns` are ours, which come last: that of the images first, which `embedding` reads.

        Without it that column has paths. `paths`: the user's own column of images, where a path is as good as a list.
        """
        self._rows = rows
        self._image_key = columns[0]
        self._embedding = embedding
        seen = Shape()
        seen.field(self._image_key)
        for fields, _ in self._read():
            if embedding is not None:
                fields.pop(self._image_key, None)
            seen.see(fields)
        users = [name for name in seen.fields if name not in columns]
        ours = [name for name in columns if name in seen.fields]
        self._shapes = {name: seen.fields[name] for name in [*users, *ours]}
        self._lists = {name for name in users if name == paths and self._shapes[name].take_as_lists()}
        self._texts = {name for name, shape in self._shapes.items() if shape.has_text()}

    def write(self, path: Path) -> None:
        """Write it, synced.

        Raises:
            RunError: parquet cannot hold it.
            OSError: it cannot be written.

        """
        try:
            schema = self._schema()
            with path.open("wb") as file:
                with parquet.ParquetWriter(file, schema) as writer:
                    for group in self._groups():
                        writer.write_table(pa.Table.from_pylist(group, schema))
                file.flush()
                os.fsync(file.fileno())
        except (pa.ArrowException, UnicodeEncodeError) as error:  # the latter of a column whose name is no text
            if isinstance(error, OSError):
                raise
            reason = str(error).strip().partition("\n")[0].rstrip(".")
            raise RunError(
                f"The output cannot be written as parquet ({reason}); name a .jsonl with --output."
            ) from None

    def sentences(self) -> list[str]:
        """Return what there is to say of it."""
        said = [
            f"The column {place} holds {kinds}, and is JSON text in the output."
            for name in self._shapes
            for place, kinds in self._shapes[name].as_text(name)
        ]
        return [*said, *(self._embedding.sentences() if self._embedding else ())]

    def _read(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Iterate over the rows, their images as paths where they are that, each with the length of its text."""
        with self._rows.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                fields = decode(line)
                if self._embedding is None and (paths := paths_in(fields.get(self._image_key))) is not None:
                    fields[self._image_key] = paths
                yield fields, len(line)

    def _groups(self) -> Iterator[list[dict[str, Any]]]:
        """Iterate over row groups."""
        group: list[dict[str, Any]] = []
        room = _ROOM
        for fields, size in self._read():
            if self._embedding is not None:
                pictures = self._embedding.pictures(fields.get(self._image_key))
                fields[self._image_key] = pictures
                room -= sum(len(picture["bytes"] or b"") for picture in pictures)
            for name in self._lists & fields.keys():
                fields[name] = [fields[name]] if isinstance(fields[name], str) else fields[name]
            for name in self._texts & fields.keys():
                fields[name] = _said(fields[name], self._shapes[name])
            group.append(fields)
            room -= size
            if len(group) == _MOST_ROWS or room <= 0:
                yield group
                group, room = [], _ROOM
        if group:
            yield group

    def _schema(self) -> Any:
        kinds = {name: _type(shape) for name, shape in self._shapes.items()}
        if self._embedding is not None:
            features = {"info": {"features": {self._image_key: _FEATURE}}}
            return pa.schema({**kinds, self._image_key: _PICTURES}, metadata={"huggingface": json.dumps(features)})
        if kinds[self._image_key] in {pa.null(), pa.list_(pa.null())}:  # no row has a picture
            kinds[self._image_key] = _PATHS
        return pa.schema(kinds)


def _type(shape: Shape) -> Any:
    kind = shape.kind
    if kind is list:
        return pa.list_(pa.null() if shape.items is None else _type(shape.items))
    if kind is dict:
        return pa.struct({key: _type(inner) for key, inner in shape.fields.items()})
    return _PLAIN[kind]()


def _said(value: Any, shape: Shape) -> Any:
    """Return a value with JSON text where its shape has that."""
    kind = shape.kind
    if value is None:
        return None
    if kind is object:
        return encode(value)
    if kind is list and shape.items is not None:
        return [_said(one, shape.items) for one in value]
    if kind is dict:
        return {key: _said(one, shape.fields[key]) for key, one in value.items()}
    return value
