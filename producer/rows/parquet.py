"""Parquet, read in small batches. It needs pyarrow, which is not in the base install: import this only where it is."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import compute, parquet, types

from producer.rows.element import LONGEST_LINE, Element, Unreadable

#: Bytes of rows that are in memory at a time, about; each row may hold a picture.
_ROOM: Final = LONGEST_LINE

_MOST_ROWS: Final = 1000

#: Bytes of a column that are read at a time, instead of a row group's whole share of it.
_PIECE: Final = 2**20


def read_parquet(path: Path) -> Iterator[Element]:
    """Iterate over the rows of a parquet file, each as a JSON object; the number is the row's own, from 1.

    Binary values become base64; dates, times and decimals become text, to the last digit.

    Raises:
        Unreadable: it is damaged, or cannot be told in JSON.

    """
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":  # it is read from its end, where one that is packed cannot be read
            raise Unreadable("is parquet, packed once more; unpack it, since parquet packs its own columns.")
    number = 0
    try:
        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=_PIECE) as table:
            _require_distinct(table.schema_arrow.names)
            for batch in table.iter_batches(batch_size=_rows_at_a_time(table.metadata)):
                for row in readable(batch).to_pylist():
                    number += 1
                    yield Element.of(number, _json(row))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise Unreadable(f"is parquet and cannot be read after row {number} ({reason}); write it again.") from None


def count_rows(path: Path) -> int:
    """Return how many rows a parquet file says that it has.

    Raises:
        Unreadable: it is damaged.

    """
    try:
        return int(parquet.read_metadata(path).num_rows)
    except pa.ArrowException as error:
        raise Unreadable(f"is parquet and cannot be read ({error}); write it again.") from None


def _require_distinct(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise Unreadable(f"is parquet with two columns of the name {json.dumps(name)[:80]}; rename one.")


def _rows_at_a_time(metadata: Any) -> int:
    size: int = sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups))
    rows: int = metadata.num_rows
    return max(1, min(_MOST_ROWS, _ROOM * rows // max(1, size)))


def _json(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, default=_base64).encode("utf-8", "surrogatepass")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def readable(batch: Any) -> Any:
    """Cast a batch to what JSON can say: what else would lose digits, or be no JSON at all."""
    columns = []
    for column in batch.columns:
        kind = _type(column.type)
        # Not where there is nothing to do: of a part of a batch, pyarrow loses where its columns of nulls begin.
        cast = column if kind == column.type else column.cast(kind)
        # ISO 8601 has a T between date and time.
        columns.append(compute.replace_substring(cast, " ", "T") if types.is_timestamp(column.type) else cast)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _type(kind: Any) -> Any:
    """Return the type that a value of another has in JSON: itself where JSON has it, and where it is binary."""
    return next((made(kind) for fits, made in _TYPES if fits(kind)), kind)


_TYPES: Final[tuple[tuple[Callable[[Any], bool], Callable[[Any], Any]], ...]] = (
    (lambda kind: isinstance(kind, pa.BaseExtensionType), lambda kind: _type(kind.storage_type)),
    (types.is_dictionary, lambda kind: _type(kind.value_type)),
    (types.is_temporal, lambda _: pa.string()),
    (types.is_decimal, lambda _: pa.string()),
    (types.is_struct, lambda kind: pa.struct([field.with_type(_type(field.type)) for field in kind])),
    (types.is_map, lambda kind: pa.map_(_type(kind.key_type), _type(kind.item_type))),
    (types.is_fixed_size_list, lambda kind: pa.list_(_type(kind.value_type), kind.list_size)),
    (types.is_large_list, lambda kind: pa.large_list(_type(kind.value_type))),
    (types.is_list, lambda kind: pa.list_(_type(kind.value_type))),
)
