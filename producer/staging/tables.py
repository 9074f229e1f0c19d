"""What holds rows, as an iterator over mappings: told by its type's name, so that no library is imported for it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from itertools import chain
from pathlib import PurePath
from typing import Any, Final

from producer.staging.values import kind_of
from worker.contract.errors import RowsError

#: Rows that are made Python's own at a time, of a table whose rows are small; and bytes, of one with pictures.
_MOST_ROWS: Final = 1000
_ROOM: Final = 2**24

#: What is iterable, and holds no rows.
_NO_ROWS: Final = (str, bytes, bytearray, PurePath, Mapping)


def rows_of(rows: Any) -> Iterator[Any]:
    """Iterate over rows, of whatever kind their table is: never more than some of them are in memory at once.

    Pictures of a data set of Hugging Face's are not decoded. What an iterable yields comes as it is, rows or not.

    Raises:
        RowsError: it is nothing that holds rows.

    """
    library = _library(rows)
    if (reader := _READERS.get(library)) is not None:
        return reader(rows)
    if hasattr(rows, "__arrow_c_stream__") and not library[0]:  # of another one, such as DuckDB
        return _of_stream(rows)
    if isinstance(rows, _NO_ROWS) or not isinstance(rows, Iterable):
        raise RowsError(f"Expected rows: a list of dicts, a table or a data set; found {kind_of(rows)}.")
    return iter(rows)


def image_columns(rows: Any) -> set[str]:
    """Return the columns of which a data set itself says that they hold pictures."""
    features = rows.features if _library(rows)[0] == "datasets" else None
    return {name for name, feature in (features or {}).items() if any(_is_image(one) for one in _all(feature))}


def _is_image(feature: Any) -> bool:
    return type(feature).__name__ == "Image"


def _library(rows: Any) -> tuple[str, str]:
    """Return the library of a table, and its kind; also where somebody has made a kind of it."""
    kinds = [(kind.__module__.partition(".")[0], kind.__name__) for kind in type(rows).__mro__]
    return next((kind for kind in kinds if kind[0] in {"pandas", "polars", "datasets", "pyarrow"}), ("", ""))


def _of_pandas(frame: Any) -> Iterator[dict[str, Any]]:
    names = list(frame.columns)
    _require_text(names)
    for begin in range(0, len(frame), _MOST_ROWS):
        yield from frame.iloc[begin : begin + _MOST_ROWS].to_dict("records")


def _of_polars(frame: Any) -> Iterator[dict[str, Any]]:
    _require_text(frame.columns)
    return iter(frame.iter_rows(named=True, buffer_size=_MOST_ROWS))


def _of_stream(rows: Any) -> Iterator[dict[str, Any]]:
    import pyarrow as pa  # noqa: PLC0415 - not in the base install

    return _of_batches(pa.RecordBatchReader.from_stream(rows))


def _of_batches(batches: Iterable[Any]) -> Iterator[dict[str, Any]]:
    from producer.rows.parquet import readable  # noqa: PLC0415 - what it imports is not in the base install

    for batch in batches:
        _require_text(batch.schema.names)
        most = max(1, min(_MOST_ROWS, _ROOM * batch.num_rows // max(1, batch.nbytes)))
        for begin in range(0, batch.num_rows, most):
            yield from readable(batch.slice(begin, most)).to_pylist()


def _of_dataset(rows: Any) -> Iterator[dict[str, Any]]:
    """Iterate over a data set; pictures and their like come as the bytes that they are."""
    if hasattr(rows, "to_iterable_dataset"):
        if not len(rows) or rows.format["type"] == "custom":  # the user's own function makes the rows
            return iter(rows)
        # Its columns are cast one by one as they are read; those of a table would be written anew.
        rows = rows.with_format(None).to_iterable_dataset()
    else:
        rows = rows.with_format(None)
    for name, feature in (rows.features or {}).items():
        if any(getattr(one, "decode", False) for one in _all(feature)):
            rows = rows.cast_column(name, _undecoded(feature))
    return iter(rows)


def _undecoded(feature: Any) -> Any:
    found = deepcopy(feature)
    for one in _all(found):
        if getattr(one, "decode", False):
            one.decode = False
    return found


def _all(feature: Any) -> Iterator[Any]:
    """Iterate over a feature of a data set and those within it."""
    yield feature
    if isinstance(feature, dict | list):
        within = [*(feature.values() if isinstance(feature, dict) else feature)]
    else:
        within = [inner for inner in [getattr(feature, "feature", None)] if inner is not None]
    yield from chain.from_iterable(map(_all, within))


def _require_text(names: Iterable[Any]) -> None:
    seen = set()
    for name in names:
        if not isinstance(name, str):
            raise RowsError(f"The table has a column whose name is no string: {name!r:.80}; rename it.")
        if name in seen:
            raise RowsError(f"The table has two columns of the name {name!r:.80}; rename one.")
        seen.add(name)


_READERS: Final[dict[tuple[str, str], Callable[[Any], Iterator[dict[str, Any]]]]] = {
    ("pandas", "DataFrame"): _of_pandas,
    ("polars", "DataFrame"): _of_polars,
    ("datasets", "Dataset"): _of_dataset,
    ("datasets", "IterableDataset"): _of_dataset,
    ("pyarrow", "Table"): lambda table: _of_batches(table.to_batches()),
    ("pyarrow", "RecordBatch"): lambda batch: _of_batches([batch]),
    ("pyarrow", "RecordBatchReader"): _of_batches,
}
