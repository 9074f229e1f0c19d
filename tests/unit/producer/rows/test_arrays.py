"""A JSON array, pretty or not, and objects over several lines read as the jsonl of the same rows."""

import io
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.rows.arrays import read_array
from producer.rows.element import LONGEST_LINE
from producer.rows.lines import Line, read_lines
from worker.contract.errors import RunError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(), VALUES, min_size=1, max_size=4), min_size=1, max_size=5)
LAYOUTS = st.fixed_dictionaries({"indent": st.sampled_from([None, 0, 2, "\t"]), "ensure_ascii": st.booleans()})


class Trickle(io.BytesIO):
    """A file that gives a few bytes at a time, so that every token is cut somewhere."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self.most = most

    def read(self, _: int | None = -1, /) -> bytes:
        """Return less than was asked for."""
        return super().read(self.most)


def texts(data: bytes) -> list[str]:
    """Return the rows of a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.json"
        path.write_bytes(data)
        return [line.text for line in read_lines(path)]


def encoded(value: Any, **layout: Any) -> bytes:
    """Return JSON in UTF-8; half a surrogate pair is in no file but as an escape."""
    try:
        return json.dumps(value, **layout).encode()
    except UnicodeEncodeError:
        return json.dumps(value, **{**layout, "ensure_ascii": True}).encode()


@settings(max_examples=60)
@given(rows=OBJECTS, layout=LAYOUTS)
def test_an_array_reads_as_the_jsonl_of_its_objects(rows: list[dict[str, Any]], layout: dict[str, Any]) -> None:
    """Whatever its layout, an array's rows are those of the jsonl, one line each."""
    lines = texts(b"\n".join(encoded(row) for row in rows))
    elements = texts(encoded(rows, **layout))
    assert [json.loads(text) for text in elements] == [json.loads(text) for text in lines] == rows
    assert not any("\n" in text for text in elements)


@given(rows=OBJECTS, indent=st.sampled_from([0, 2, "\t"]))
def test_objects_over_several_lines_read_as_the_jsonl(rows: list[dict[str, Any]], indent: Any) -> None:
    """Objects that were printed one after the other, as jq does, are rows."""
    assert [json.loads(text) for text in texts(b"\n".join(encoded(row, indent=indent) for row in rows))] == rows


@given(rows=OBJECTS, layout=LAYOUTS, most=st.integers(1, 7))
def test_where_the_file_is_cut_into_pieces_changes_nothing(
    rows: list[dict[str, Any]], layout: dict[str, Any], most: int
) -> None:
    """However few bytes come at a time, the elements are the same, and so are their lines."""
    data = encoded(rows, **layout)
    assert list(read_array(Trickle(data, most))) == list(read_array(io.BytesIO(data)))


def test_each_rows_own_text_is_kept(tmp_path: Path) -> None:
    """Digits, escapes and blanks of an element stay as they were written; its line is that in which it begins."""
    path = tmp_path / "input.json"
    path.write_bytes(
        b'\xef\xbb\xbf\n[{"a": 1.50,  "b":"\\u00e4\\n{["},\r\n\n {"c":\r\n\t12345678901234567890.0 }\n, 7,"x, ]"]\n'
    )
    assert list(read_lines(path)) == [
        Line(0, 2, '{"a": 1.50,  "b":"\\u00e4\\n{["}'),
        Line(1, 4, '{"c": 12345678901234567890.0 }'),
        Line(2, 6, "7"),
        Line(3, 6, '"x, ]"'),
    ]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b'[\n{"a": 1},\n{"b": ', 'line 3: found the end of the file, expected "}" in the element that begins in'),
        (b'[\n{"a": 1},\n{"b": "c', "line 3: found the end of the file, expected the end of a string in the element"),
        (b'[\n{"a": 1}\n', 'line 3: found the end of the file, expected "," or "]"'),
        (b'[\n{"a": 1},\n]', 'line 3: found "]", expected another element'),
        (b'[\n{"a": 1},,\n{}]', 'line 2: found ",", expected another element'),
        (b'[\n{"a": 1}\n{"b": 2}]', 'line 3: found "{", expected "," or "]"'),
        (b'[\n{"a": [1},\n{"b": 2}]', 'line 2: found "}", expected "]" in the element that begins in line 2'),
        (b'[{"a": 1},\n{"b": 2}]\n\n{"c": 3}\n', 'line 4: found "{", expected nothing more after the end of the array'),
        (b'{\n"a": 1}\n{\n"b": 2}}\n', 'line 4: found "}", expected another object, which begins with "{"'),
        (b"[\n", "line 2: found the end of the file, expected another element"),
        (b"[\n" + b"[" * 140_000, "line 2: found "),
    ],
)  # fmt: skip
def test_a_damaged_array_is_one_sentence(tmp_path: Path, data: bytes, place: str) -> None:
    """What is cut, lacks a comma, or goes on after its end is no shorter input, but an error that names the place."""
    path = tmp_path / "input.json"
    path.write_bytes(data)
    with pytest.raises(RunError, match=re.escape(f"is damaged in {place}")):
        list(read_lines(path))


@pytest.mark.parametrize(
    "text", [b"[1,2]\n[3]\n", b"[1, 2]", b'[{"a": 1}]\n{"b": 2}', b"[]", b"[1\n{}", b'{"a": 1\n{}\n']
)
def test_a_jsonl_stays_one_whatever_is_in_its_first_line(tmp_path: Path, text: bytes) -> None:
    """A first line that is a list, or half an object, is one bad row among others."""
    path = tmp_path / "input.jsonl"
    path.write_bytes(text)
    assert [line.text for line in read_lines(path)] == text.decode().split("\n")[: None if text[-1:] != b"\n" else -1]


def test_an_empty_array_holds_no_rows(tmp_path: Path) -> None:
    """An array without elements reads as a file without lines."""
    path = tmp_path / "input.json"
    path.write_bytes(b"[\n]\n")
    assert list(read_lines(path)) == []


@pytest.mark.parametrize("wrap", [b"[\n%b,\n7]", b'[\n{"a": [%b]},\n7]'], ids=["itself", "inside"])
def test_an_element_without_end_fills_no_memory(tmp_path: Path, wrap: bytes) -> None:
    """Of an element of more than 16 MiB only the beginning is kept, and the next has its own place."""
    path = tmp_path / "input.json"
    path.write_bytes(wrap.replace(b"%b", b'"' + b"x" * LONGEST_LINE + b'"'))
    long, last = read_lines(path)
    assert re.fullmatch(r"has \d+ bytes, more than 16777216; only its beginning is kept here\.", long.problem or "")
    assert len(long.text) == 1024
    assert last == Line(1, 3, "7")


def test_an_element_that_is_no_json_is_its_rows_fault(tmp_path: Path) -> None:
    """Where the end of a bad element is clear, the others are rows as ever."""
    path = tmp_path / "input.json"
    path.write_bytes(b'[\n{"a": "\xff"},\n{"b" 2},\nnul,\n{"c": 3}]')
    bad, *others = read_lines(path)
    assert (bad.text, bad.problem) == ('{"a": "\\xff"}', "is no UTF-8 text.")
    assert [(line.number, line.text) for line in others] == [(3, '{"b" 2}'), (4, "nul"), (5, '{"c": 3}')]


def test_any_depth_is_followed(tmp_path: Path) -> None:
    """Elements that are nested far deeper than rows are have their ends found, too."""
    path = tmp_path / "input.json"
    rows = [b'{"a": ' + b"[" * levels + b"]" * levels + b"}" for levels in (0, 3, 5, 6, 300)]
    path.write_bytes(b"[" + b", ".join(rows) + b"]")
    assert [line.text.encode() for line in read_lines(path)] == rows
