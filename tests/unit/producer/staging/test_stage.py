"""What Python holds as rows becomes a file that reads as these rows, or is refused by the row and the column."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops

from producer.rows.lines import read_lines
from producer.staging.stage import stage
from worker.contract.errors import RowsError, RunError

JPEG = b"\xff\xd8\xff\xe0 not looked into"


class Colour(StrEnum):
    """A string of a kind."""

    RED = "red"


def staged(folder: Path, rows: Any, **given: Any) -> list[dict[str, Any]]:
    """Write rows, and return them as they are read."""
    options: dict[str, Any] = {"pictures": folder / "pictures", "image_keys": ["images"], **given}
    count = stage(rows, folder / "rows.jsonl", **options)
    found = [json.loads(line.text) for line in read_lines(folder / "rows.jsonl")]
    assert len(found) == count
    return found


def files(folder: Path) -> list[str]:
    """Name all files, hidden ones, too."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "value",
    [
        "Ä 🙂 \n\t\u2028 \0 \\", "\ud800", 10**30, 0.1, 1e-320, float("inf"), True, None, [], {}, [[1, [None]]],
        {"a": {"b": ["c", {"d": False}]}}, "x" * 100_000,
    ],
)  # fmt: skip
def test_what_json_has_comes_back(tmp_path: Path, value: Any) -> None:
    """A row reads as it was, to the last digit and whatever its characters are."""
    row = {"images": "a.png", "value": value, "": 1}
    assert staged(tmp_path, [row]) == [row]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("nan"), None),
        ([np.float64("nan")], [None]),
        (np.int64(2**63 - 1), 2**63 - 1),
        (np.uint8(7), 7),
        (np.float32(0.5), 0.5),
        (np.bool_(1), True),
        (np.str_("a"), "a"),
        (np.arange(6).reshape(2, 3), [[0, 1, 2], [3, 4, 5]]),
        (np.datetime64("2026-01-31T12:00:00.123456789"), "2026-01-31T12:00:00.123456789"),
        (np.datetime64("NaT"), None),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00+00:00"),
        (date(2026, 1, 31), "2026-01-31"),
        (timedelta(seconds=90), "0:01:30"),
        (Decimal("1.10"), "1.10"),
        (Path("a/b.png"), "a/b.png"),
        ((1, (2,)), [1, [2]]),
        (b"\x00\xff", "AP8="),
        (Colour.RED, "red"),
        ({Colour.RED: Colour.RED}, {"red": "red"}),
    ],
)
def test_what_json_lacks_is_said_as_usual(tmp_path: Path, value: Any, text: Any) -> None:
    """Numbers of numpy are numbers, times text in ISO 8601, missing values null."""
    assert staged(tmp_path, [{"value": value}]) == [{"value": text}]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"a": {1, 2}}, r"row 1, a: JSON cannot hold a value of the type set; make it text, .*\."),
        ({"a": [{"b": object()}]}, r"row 1, a: JSON cannot hold a value of the type object; .*\."),
        ({"a": 1j}, r"row 1, a: JSON cannot hold a value of the type complex; .*\."),
        ({"a": {None: 1}}, r"row 1, a: has a key that is no string: None\."),
        ({7: 1}, r"row 1, 7: has a key that is no string: 7\."),
        ({"a": 10**5000}, r"row 1: cannot be written as JSON \(.*\)\."),
        ({"images": np.zeros((2, 2, 3), np.uint8)}, r"row 1, images: holds an array of numpy's; .*fromarray.*\."),
        ({"images": Image.new("CMYK", (2, 2))}, r"row 1, images: holds a picture of the mode CMYK, .*convert.*\."),
        (["a.png"], r"row 1: expected a dict, found list\."),
        (None, r"row 1: expected a dict, found NoneType\."),
    ],
)
def test_what_cannot_be_said_names_its_row(tmp_path: Path, row: Any, sentence: str) -> None:
    """One sentence with the row's number and its column; the file that was there stays."""
    (tmp_path / "rows.jsonl").write_text("{}\n")
    with pytest.raises(RowsError, match=rf"^{sentence}$"):
        staged(tmp_path, [{"a": 1}, row])
    assert files(tmp_path) == ["rows.jsonl"]
    assert (tmp_path / "rows.jsonl").read_text() == "{}\n"


def test_what_holds_itself_has_an_end(tmp_path: Path) -> None:
    """Nesting without an end is one row's fault."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(RowsError, match=r"^row 0, a: is nested more than 256 deep\.$"):
        staged(tmp_path, [{"a": endless}])


@pytest.mark.parametrize("rows", ["in.jsonl", Path("in.jsonl"), {"images": "a.png"}, None, 7])
def test_what_holds_no_rows(tmp_path: Path, rows: Any) -> None:
    """A file's name, or one row alone, is no list of rows."""
    with pytest.raises(RowsError, match=r"^Expected rows: a list of dicts, a table or a data set; found \S+\.$"):
        staged(tmp_path, rows)


def test_rows_may_come_one_by_one(tmp_path: Path) -> None:
    """Whatever yields mappings will do: a generator, or a reader of CSV."""
    text = "images,text\na.png,Make it red.\nb.png,\n"
    assert staged(tmp_path, csv.DictReader(io.StringIO(text))) == list(csv.DictReader(io.StringIO(text)))


def test_an_error_of_the_users_own_comes_through(tmp_path: Path) -> None:
    """What their generator raises is raised as it is, and leaves no half file."""

    def rows() -> Iterator[dict[str, Any]]:
        yield {"images": JPEG}
        raise OSError("mine")

    with pytest.raises(OSError, match=r"^mine$"):
        staged(tmp_path, rows())
    assert [name for name in files(tmp_path) if not name.endswith(".jpg")] == []


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """It names what could not be written, and why."""
    (tmp_path / "pictures").write_text("a file")
    with pytest.raises(RunError, match=r"^The rows cannot be written to .*/pictures/.*: Not a directory\.$"):
        staged(tmp_path, [{"images": JPEG}])


def test_pictures_become_files(tmp_path: Path) -> None:
    """Bytes go through as they are, one file for what is the same, with the ending of what they are."""
    data = {"bytes": JPEG, "path": "cat.jpg"}
    rows = [{"images": JPEG}, {"images": data}, {"images": [data, "b.png"]}, {"images": {**data, "caption": "x"}}]
    first, second, third, fourth = [row["images"] for row in staged(tmp_path, rows)]
    assert Path(first).read_bytes() == JPEG
    assert Path(first).suffix == ".jpg"
    assert Path(first).is_absolute()
    assert second == first
    assert third == [first, "b.png"]
    assert fourth == {"bytes": None, "path": first, "caption": "x"}
    assert files(tmp_path) == sorted([Path(first).name, "rows.jsonl"])


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"path": "a.png", "bytes": None}, "a.png"),
        ({"path": Path("a.png")}, "a.png"),
        ({"path": None, "bytes": None}, {"path": None, "bytes": None}),
        ({"image_url": {"url": "a.png"}}, {"image_url": {"url": "a.png"}}),
        (Path("a.png"), "a.png"),
        (float("nan"), None),
    ],
)
def test_what_names_a_picture_still_names_it(tmp_path: Path, value: Any, kept: Any) -> None:
    """A path stays one, and what the producer is to judge stays as it is."""
    assert staged(tmp_path, [{"images": value}]) == [{"images": kept}]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_picture_in_memory_loses_nothing(tmp_path: Path, mode: str) -> None:
    """It is written as PNG, in whatever column it is, and is the same, pixel by pixel."""
    image = Image.linear_gradient("L").convert(mode) if mode != "I;16" else Image.new("I;16", (9, 7), 54_321)
    [row] = staged(tmp_path, [{"target": image}])
    with Image.open(row["target"]) as found:
        assert (found.format, found.size, found.mode) == ("PNG", image.size, image.mode)
        assert found.tobytes() == image.tobytes()
        assert ImageChops.difference(found.convert("RGBA"), image.convert("RGBA")).getbbox() is None


def test_a_picture_that_was_opened_keeps_its_orientation(tmp_path: Path) -> None:
    """What a file says of how it is held up goes along with its pixels."""
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (8, 4)).save(tmp_path / "a.jpg", exif=turned)
    with Image.open(tmp_path / "a.jpg") as image:
        [row] = staged(tmp_path, [{"images": image}])
    with Image.open(row["images"]) as found:
        assert found.getexif()[0x0112] == 6


def test_the_same_rows_give_the_same_file(tmp_path: Path) -> None:
    """Letter by letter, and its pictures are not written again."""
    rows = [{"images": Image.radial_gradient("L")}, {"images": JPEG}]
    staged(tmp_path, rows)
    text = (tmp_path / "rows.jsonl").read_bytes()
    written = {path: path.stat().st_ino for path in (tmp_path / "pictures").rglob("*.*")}
    staged(tmp_path, iter(rows))
    assert (tmp_path / "rows.jsonl").read_bytes() == text
    assert {path: path.stat().st_ino for path in (tmp_path / "pictures").rglob("*.*")} == written


def test_rows_may_have_numbers(tmp_path: Path) -> None:
    """They need not follow one another, nor be in order."""
    assert staged(tmp_path, [{"n": n} for n in "abc"], numbers=iter([7, np.int64(3), 1000])) == [
        {"n": n} for n in "abc"
    ]
    assert [(line.row, line.number) for line in read_lines(tmp_path / "rows.jsonl")] == [(7, 1), (3, 2), (1000, 3)]


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ([7, 7], r"numbers\[1\]: 7 is there twice"),
        ([7, -1], r"numbers\[1\]: expected an integer from 0 to 2⁵³ - 1, found -1"),
        ([2**53, 1], r"numbers\[0\]: expected an integer .*, found 9007199254740992"),
        ([True, 2], r"numbers\[0\]: expected an integer .*, found True"),
        (["7", 2], r"numbers\[0\]: expected an integer .*, found '7'"),
        ([7], "There are only 1 numbers, and more rows"),
        ([7, 8, 9], "There are fewer rows than numbers: none for 9"),
    ],
)
def test_numbers_that_are_none(tmp_path: Path, numbers: list[Any], sentence: str) -> None:
    """Each row needs one, and it may not be another's."""
    with pytest.raises(RowsError, match=f"^{sentence}"):
        staged(tmp_path, [{"n": 1}, {"n": 2}], numbers=numbers)
    assert files(tmp_path) == []


def test_an_error_names_the_rows_own_number(tmp_path: Path) -> None:
    """As its sample is named."""
    with pytest.raises(RowsError, match=r"^row 1000, a: "):
        staged(tmp_path, [{"a": 1}, {"a": {1}}], numbers=[7, 1000])


def test_nothing_is_imported_for_it() -> None:
    """What is no part of the base install is not imported by importing this, nor by rows that need none of it."""
    code = (
        "import sys, tempfile; from pathlib import Path; from producer.staging.stage import stage;"
        "f = Path(tempfile.mkdtemp()); stage([{'images': b'x'}], f / 'a', pictures=f, image_keys=['images']);"
        "print({'numpy', 'pandas', 'polars', 'pyarrow', 'datasets', 'torch', 'celery'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "set()\n"
