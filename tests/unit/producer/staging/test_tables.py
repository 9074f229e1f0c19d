"""Tables and data sets of Python's libraries are staged as the rows that they hold, and pictures as their bytes."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

from producer.rows.lines import read_lines
from producer.staging import tables
from producer.staging.stage import stage
from worker.contract.errors import RowsError

ROWS: list[dict[str, Any]] = [
    {"images": f"{n}.png", "text": "Ä", "n": n, "x": n / 4, "yes": n > 1, "l": [{"a": n, "b": None}], "none": None}
    for n in range(5)
]


def staged(folder: Path, rows: Any, **given: Any) -> list[dict[str, Any]]:
    """Write rows, and return them as they are read."""
    options: dict[str, Any] = {"pictures": folder / "pictures", "image_keys": ["images"], **given}
    count = stage(rows, folder / "rows.jsonl", **options)
    found = [json.loads(line.text) for line in read_lines(folder / "rows.jsonl")]
    assert len(found) == count
    return found


def jpeg(shade: int) -> bytes:
    """Make a picture as a camera has it."""
    file = io.BytesIO()
    Image.new("RGB", (16, 8), (shade, 0, 0)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(autouse=True)
def _few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have five rows be more than are looked at together."""
    monkeypatch.setattr(tables, "_MOST_ROWS", 2)


@pytest.mark.parametrize(
    "make",
    [
        lambda rows: rows,
        iter,
        pd.DataFrame,
        lambda rows: pd.DataFrame(rows, index=[3, 3, 1, 1, 0]),
        pl.DataFrame,
        pa.Table.from_pylist,
        pa.RecordBatch.from_pylist,
        lambda rows: pa.Table.from_pylist(rows).to_reader(max_chunksize=3),
        datasets.Dataset.from_list,
        lambda rows: datasets.Dataset.from_list(rows).with_format("numpy"),
        lambda rows: datasets.Dataset.from_list([rows[4], *rows[:4]]).select([1, 2, 3, 4, 0]),
        lambda rows: datasets.Dataset.from_list(rows).to_iterable_dataset(num_shards=2),
        lambda rows: datasets.IterableDataset.from_generator(lambda: iter(rows)),
    ],
)
def test_a_tables_rows_come_back(tmp_path: Path, make: Any) -> None:
    """In order, whatever holds them, and with each value of the kind that it is."""
    assert staged(tmp_path, make(ROWS)) == ROWS


@pytest.mark.parametrize(
    "table", [[], pd.DataFrame({"a": []}), pl.DataFrame({"a": []}), pa.table({"a": []}), datasets.Dataset.from_list([])]
)
def test_no_rows_are_a_file_without_any(tmp_path: Path, table: Any) -> None:
    """Whatever holds none of them."""
    assert staged(tmp_path, table) == []


def test_what_other_libraries_hold_as_arrow(tmp_path: Path) -> None:
    """A table that says so by Arrow's own protocol is read, whosever it is."""

    class Relation:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return pa.Table.from_pylist(ROWS).__arrow_c_stream__(requested_schema)

    assert staged(tmp_path, Relation()) == ROWS


NANOSECONDS = 1_600_000_000_123_456_789


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (pd.Series([pd.Timestamp(NANOSECONDS), pd.NaT]), "2020-09-13T12:26:40.123456789"),
        (pd.Series([1, None], dtype="Int64"), 1),
        (pd.Series([0.5, float("nan")]), 0.5),
        (pd.Series(["a", None], dtype="category"), "a"),
        (pd.Series([np.array(["a.png", "b.png"], dtype=object), None]), ["a.png", "b.png"]),
        (pd.Series([Path("a.png"), None]), "a.png"),
        (pl.Series([datetime(2026, 1, 31, tzinfo=UTC), None]), "2026-01-31T00:00:00+00:00"),
        (pl.Series([Decimal("1.10"), None]), "1.10"),
        (pl.Series([[1, 2], None]), [1, 2]),
        (pa.array([NANOSECONDS, None], pa.timestamp("ns")), "2020-09-13T12:26:40.123456789"),
        (pa.array([Decimal("12345678901234567890.10"), None]), "12345678901234567890.10"),
    ],
    ids=str,
)
def test_values_of_the_libraries(tmp_path: Path, column: Any, value: Any) -> None:
    """Times, decimals and what is missing are as JSON has them."""
    library = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}
    table = library[type(column).__module__.partition(".")[0]]({"images": column})
    assert staged(tmp_path, table) == [{"images": value}, {"images": None}]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (pd.DataFrame([[1, 2]]), "a column whose name is no string: 0; rename it"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns of the name 'a'; rename one"),
        (pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), "two columns of the name 'a'; rename one"),
    ],
)
def test_columns_that_would_be_lost(tmp_path: Path, table: Any, sentence: str) -> None:
    """A table whose columns are no keys of an object is refused."""
    with pytest.raises(RowsError, match=f"^The table has {sentence}\\.$"):
        staged(tmp_path, table)


@pytest.mark.parametrize("table", [pd.Series([1]), pl.Series([1]), datasets.DatasetDict(), pl.LazyFrame({"a": [1]})])
def test_what_is_no_table_is_refused(tmp_path: Path, table: Any) -> None:
    """One column, several splits, and a query that nobody has asked for yet."""
    with pytest.raises(RowsError):
        staged(tmp_path, table)


PICTURES = [jpeg(0), jpeg(200)]
IMAGE = datasets.Image()


def pictured() -> Any:
    """Make a data set of pictures: one a row, several a row, and one within another column."""
    rows = [
        {
            "images": {"bytes": data, "path": "x.jpg"},
            "all": [{"bytes": one, "path": None} for one in PICTURES],
            "t": "a",
        }
        for data in PICTURES
    ]
    kinds = {"images": IMAGE, "all": datasets.List(IMAGE), "t": datasets.Value("string")}
    return datasets.Dataset.from_list(rows, features=datasets.Features(kinds))


@pytest.mark.parametrize(
    "make",
    [
        pictured,
        lambda: pictured().to_iterable_dataset(),
        lambda: pictured().with_format("torch"),
        lambda: pictured().data.table,
        lambda: pl.from_arrow(pictured().data.table),
        pictured().data.table.to_pandas,
    ],
)
def test_pictures_go_through_untouched(tmp_path: Path, make: Any) -> None:
    """The bytes of the file that somebody put into the data set, not those of a decoded picture."""
    found = staged(tmp_path, make(), image_keys=["images", "all"])
    assert [Path(row["images"]).read_bytes() for row in found] == PICTURES
    assert [[Path(path).read_bytes() for path in row["all"]] for row in found] == [PICTURES] * 2
    assert len(list((tmp_path / "pictures").rglob("*.jpg"))) == 2


def test_a_data_set_knows_its_own_pictures(tmp_path: Path) -> None:
    """A column of pictures that nobody has named does not fill the file with base64."""
    found = staged(tmp_path, pictured(), image_keys=[])
    assert [Path(row["images"]).read_bytes() for row in found] == PICTURES
    assert [len(row["all"]) for row in found] == [2, 2]


def test_what_a_users_own_function_makes(tmp_path: Path) -> None:
    """Rows that a data set makes as they are asked for are taken as they are made."""

    def brighter(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        return {"images": [image.point([255] * 768) for image in batch["images"]]}

    found = staged(tmp_path, pictured().with_transform(brighter))
    with Image.open(found[0]["images"]) as image:
        assert image.getpixel((0, 0)) == (255, 255, 255)


def test_pictures_that_a_generator_makes(tmp_path: Path) -> None:
    """A stream whose features nobody has named yields pictures as Pillow has them."""

    def rows() -> Iterator[dict[str, Any]]:
        yield {"images": Image.new("RGB", (4, 2), (1, 2, 3)), "n": 1}

    [row] = staged(tmp_path, datasets.IterableDataset.from_generator(rows))
    with Image.open(row["images"]) as image:
        assert (image.size, image.getpixel((0, 0))) == ((4, 2), (1, 2, 3))
