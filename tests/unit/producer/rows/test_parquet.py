"""Parquet reads as the jsonl of its rows."""

import base64
import gzip
import importlib.util
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from producer.rows.element import LONGEST_LINE
from producer.rows.lines import Line, read_lines
from worker.contract.errors import RunError


def written(folder: Path, table: Any, **options: Any) -> Path:
    """Write a table; the name says nothing."""
    parquet.write_table(table, folder / "input", **options)
    return folder / "input"


def values(path: Path) -> list[dict[str, Any]]:
    """Return the rows as they are read."""
    return [json.loads(line.text) for line in read_lines(path)]


ROWS = [
    {"images": {"bytes": b"\x89PNG", "path": "a.png"}, "conversations": [{"role": "user", "content": "Ä."}], "n": 1},
    {"images": {"bytes": None, "path": "b.png"}, "conversations": [], "n": None},
]  # fmt: skip


def test_rows_read_as_those_of_a_jsonl(tmp_path: Path) -> None:
    """Structs and lists are objects and lists, null is null, binary values are base64; rows are numbered from 1."""
    path = written(tmp_path, pa.Table.from_pylist(ROWS))
    assert [(line.row, line.number) for line in read_lines(path)] == [(0, 1), (1, 2)]
    first, second = values(path)
    assert first == {**ROWS[0], "images": {"bytes": base64.b64encode(b"\x89PNG").decode(), "path": "a.png"}}
    assert second == ROWS[1]


@pytest.mark.parametrize(
    ("array", "value"),
    [
        (pa.array([1_600_000_000_123_456_789], pa.timestamp("ns")), "2020-09-13T12:26:40.123456789"),
        (pa.array([datetime(2026, 1, 31, 12, tzinfo=UTC)], pa.timestamp("ms", "UTC")), "2026-01-31T12:00:00.000Z"),
        (pa.array([0], pa.timestamp("ms", "Europe/Berlin")), "1970-01-01T01:00:00.000+0100"),
        (pa.array([{"at": 1}], pa.struct([("at", pa.timestamp("ns"))])), {"at": "1970-01-01 00:00:00.000000001"}),
        (pa.array([date(2026, 1, 31)]), "2026-01-31"),
        (pa.array([1], pa.time64("ns")), "00:00:00.000000001"),
        (pa.array([Decimal("12345678901234567890.10")]), "12345678901234567890.10"),
        (pa.array([[Decimal("0.10")]]), ["0.10"]),
        (pa.array([2**64 - 1], pa.uint64()), 2**64 - 1),
        (pa.array([1.5], pa.float16()), 1.5),
        (pa.array(["a"]).dictionary_encode(), "a"),
        (pa.array([b"\xff"], pa.binary(1)), "/w=="),
        (pa.array([[("a", b"\xff")]], pa.map_(pa.string(), pa.binary())), [["a", "/w=="]]),
        (pa.array([[1, 2]], pa.list_(pa.int8(), 2)), [1, 2]),
        (pa.array([["a"]], pa.large_list(pa.large_string())), ["a"]),
        (pa.array([None]), None),
        (pa.array([True]), True),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)  # fmt: skip
def test_every_type_is_told_in_json(tmp_path: Path, array: Any, value: Any) -> None:
    """What JSON lacks becomes text, to the last digit; what it has stays."""
    assert values(written(tmp_path, pa.table({"a": array}))) == [{"a": value}]


def test_row_groups_and_batches_are_one_input(tmp_path: Path) -> None:
    """Rows come in their order, however many the file has in a piece."""
    rows = [{"n": n, "text": "x" * (n % 9)} for n in range(5000)]
    assert values(written(tmp_path, pa.Table.from_pylist(rows), row_group_size=700)) == rows


def test_a_row_that_is_too_long_is_bad_alone(tmp_path: Path) -> None:
    """Of a row of more than 16 MiB only the beginning is kept; the next is as ever."""
    long, good = read_lines(written(tmp_path, pa.table({"a": [b"x" * LONGEST_LINE, b"y"]})))
    assert re.fullmatch(r"has \d+ bytes, more than 16777216; only its beginning is kept here\.", long.problem or "")
    assert len(long.text) == 1024
    assert good == Line(1, 2, '{"a": "eQ=="}')


@pytest.mark.parametrize("part", ["page", "footer", "end"])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, part: str) -> None:
    """What cannot be read to its end is an error, and no shorter input."""
    path = written(tmp_path, pa.table({"a": [f"{n * 7919}" for n in range(9000)]}))
    data = bytearray(path.read_bytes())
    if part == "page":
        data[8 : len(data) // 2] = b"\xff" * (len(data) // 2 - 8)
    elif part == "footer":
        data[-60:-8] = b"\xff" * 52
    else:
        del data[-100:]
    path.write_bytes(data)
    with pytest.raises(
        RunError, match=rf"^The input {path} is parquet and cannot be read after row \d+ \(.*\); write it"
    ):
        list(read_lines(path))


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    """An object has a key once."""
    path = written(tmp_path, pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]))
    with pytest.raises(RunError, match=r'is parquet with two columns of the name "a"; rename one\.$'):
        list(read_lines(path))


def test_parquet_that_is_packed_once_more_is_refused(tmp_path: Path) -> None:
    """It is read from its end, which a packed file has not at hand."""
    path = written(tmp_path, pa.table({"a": [1]}))
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(RunError, match="is parquet, packed once more; unpack it"):
        list(read_lines(path))


def test_without_what_reads_it_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base install reads no parquet, and says which extra does."""
    path = written(tmp_path, pa.table({"a": [1]}))
    monkeypatch.setattr("producer.rows.lines.find_spec", lambda name: None if name == "pyarrow" else importlib.util)
    with pytest.raises(
        RunError, match=r"is parquet; install what reads it: pip install 'bulk-image-editor\[tables\]'\.$"
    ):
        list(read_lines(path))
