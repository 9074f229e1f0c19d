"""CSV and its relatives read as the jsonl of their rows, every cell as the text that it is."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.rows.element import LONGEST_LINE
from producer.rows.lines import Line, read_lines
from producer.rows.tables import read_table
from worker.contract.errors import RunError

#: As strict as the format itself: cells hold what they like, but for bytes that no text file has.
CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\r\t"), max_size=8)


def lines_of(folder: Path, data: bytes, name: str = "input") -> list[Line]:
    """Return the rows of a file."""
    (folder / name).write_bytes(data)
    return list(read_lines(folder / name))


def test_a_table_reads_as_rows(tmp_path: Path) -> None:
    """The header names the keys; cells stay text, an empty one ""; a row's line is that in which it begins."""
    data = b'\xef\xbb\xbfimages,conversations,n\r\na.png,"Make it ""red"",\nor blue.",007\r\n\r\n,,\r\nb.png,,1.50\r\n'
    rows = lines_of(tmp_path, data)
    assert [(line.row, line.number, json.loads(line.text)) for line in rows] == [
        (0, 2, {"images": "a.png", "conversations": 'Make it "red",\nor blue.', "n": "007"}),
        (1, 6, {"images": "b.png", "conversations": "", "n": "1.50"}),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("first", ["", "images"], ids=["an index", "named"])
def test_what_stands_between_cells_is_seen(tmp_path: Path, delimiter: str, quoting: Any, first: str) -> None:
    """Commas, semicolons, tabs and bars are told by the header, with or without an index as pandas writes it."""
    made = io.StringIO()
    header = [first, "image file", "text_2"]
    csv.writer(made, delimiter=delimiter, quoting=quoting).writerows([header, ["0", "a, b; c.png", "Make\tit | red."]])
    (row,) = lines_of(tmp_path, made.getvalue().encode())
    assert json.loads(row.text) == dict(zip(header, ["0", "a, b; c.png", "Make\tit | red."], strict=True))


@given(rows=st.lists(st.tuples(CELLS, CELLS).filter(lambda row: any(map(str.strip, row))), max_size=5))
def test_whatever_a_cell_holds_comes_back(rows: list[tuple[str, str]]) -> None:
    """Quotes, commas and ends of lines in a cell are the user's text."""
    made = io.StringIO(newline="")
    csv.writer(made).writerows([("a", "b"), *rows])
    found = [json.loads(element.text) for element in read_table(io.BytesIO(made.getvalue().encode()), ",")]
    assert found == [{"a": a, "b": b} for a, b in rows]


def test_the_name_decides_where_the_content_does_not(tmp_path: Path) -> None:
    """A single column, or a header with blanks, is a table where the file is called one, and a bad jsonl elsewhere."""
    assert [line.text for line in lines_of(tmp_path, b"images\na.png\n", "in.csv")] == ['{"images": "a.png"}']
    assert [line.text for line in lines_of(tmp_path, b"a, b\n1,2\n", "in.CSV")] == ['{"a": "1", "b": "2"}']
    assert [line.text for line in lines_of(tmp_path, b"images\na.png\n", "in.jsonl")] == ["images", "a.png"]


def test_a_sentence_at_the_beginning_makes_no_table(tmp_path: Path) -> None:
    """A jsonl whose first line is no JSON stays one, with one bad row."""
    assert lines_of(tmp_path, b'well,so\n{"a": 1}\n')[1] == Line(1, 2, '{"a": 1}')


def test_rows_of_another_width_are_bad_alone(tmp_path: Path) -> None:
    """Where cells are missing or left over, nobody knows which; the row is handed back with its cells."""
    short, long, good = lines_of(tmp_path, b"a,b\n1\n1,2,3\n4,5\n")
    assert short == Line(0, 2, '["1"]', "has 1 cell; the table's header names 2 columns.")
    assert long == Line(1, 3, '["1", "2", "3"]', "has 3 cells; the table's header names 2 columns.")
    assert good.text == '{"a": "4", "b": "5"}'


def test_bytes_that_are_no_text_are_bad_alone(tmp_path: Path) -> None:
    """A cell that another encoding wrote is its row's error."""
    bad, good = lines_of(tmp_path, b"a,b\ncaf\xe9,1\nb,2\n")
    assert bad == Line(0, 2, r'["caf\xe9", "1"]', "is no UTF-8 text; save the table as CSV in UTF-8.")
    assert good.problem is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'a,b\n1,2\n"open,3\n4,5\n', r"is damaged in the row that begins in line 3 \(unexpected end of data\); write"),
        (b'a,b\n1,2\n\n"no"w,3\n', r"is damaged in the row that begins in line 4 \('?,'? expected after"),
        (b'a,b\n1,"' + (b"x" * 1023 + b"\n") * (LONGEST_LINE // 1024 + 1), r"begins in line 2 \(field larger"),
        (b"a,b\n1," + b"x" * LONGEST_LINE, r"whose line 2 has more than 16777216 bytes\.$"),
        (b"a,b,a\n1,2,3\n", r'two columns of the name "a"; rename one\.$'),
    ],
    ids=["unclosed", "misquoted", "endless cell", "endless line", "twice"],
)  # fmt: skip
def test_a_damaged_table_is_one_sentence(tmp_path: Path, data: bytes, reason: str) -> None:
    """Where quotes do not pair up, no later cell can be trusted: the whole file is refused, with the place."""
    with pytest.raises(RunError, match=reason):
        lines_of(tmp_path, data, "in.csv")
