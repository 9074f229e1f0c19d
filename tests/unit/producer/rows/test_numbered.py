"""Rows with numbers of their own are read as a jsonl's, under those numbers."""

from pathlib import Path

import pytest

from producer.rows.element import LONGEST_LINE
from producer.rows.lines import Line, count_lines, read_lines
from producer.rows.numbered import header, numbered_line
from producer.rows.numbers import LARGEST, Numbers
from worker.contract.errors import RunError


def written(folder: Path, *lines: bytes) -> Path:
    """Write such a file; its name says nothing."""
    path = folder / "rows"
    path.write_bytes(header() + b"".join(lines))
    return path


def test_each_row_has_its_own_number(tmp_path: Path) -> None:
    """In the file's order, its text untouched; for people it has its place."""
    path = written(tmp_path, *(numbered_line(number, f'{{"a":  {number}, "t": "ä\t"}}') for number in (7, 3, LARGEST)))
    assert list(read_lines(path)) == [
        Line(number, place, f'{{"a":  {number}, "t": "ä\t"}}') for place, number in enumerate((7, 3, LARGEST), start=1)
    ]
    assert count_lines(path) == 3


def test_a_line_that_is_too_long_is_its_own_fault(tmp_path: Path) -> None:
    """Its number counts for nothing, and only its beginning is kept."""
    whole, long = "x" * (LONGEST_LINE - 1), "y" * LONGEST_LINE
    first, second = read_lines(written(tmp_path, numbered_line(5, whole), numbered_line(LARGEST, long)))
    assert (first.row, len(first.text), first.problem) == (5, len(whole), None)
    assert (second.row, second.text) == (LARGEST, "y" * 1024)
    assert second.problem == f"has {LONGEST_LINE + 1} bytes, more than {LONGEST_LINE}; only its beginning is kept here."


@pytest.mark.parametrize("line", [b'{"a": 1}\n', b"-1\t{}\n", b"\n", b"9007199254740992\t{}\n", header()])
def test_damage_is_told_by_its_place(tmp_path: Path, line: bytes) -> None:
    """A line without a number is no row; so is a second file at the first one's end."""
    with pytest.raises(RunError, match="holds numbered rows and is damaged after row 1; write it again"):
        list(read_lines(written(tmp_path, numbered_line(4, "{}"), line)))


def test_another_version_is_refused(tmp_path: Path) -> None:
    """A later program's file is not read as if it were this one's."""
    path = tmp_path / "rows"
    path.write_bytes(header().replace(b"1", b"2") + b"7\t{}\n")
    with pytest.raises(RunError, match="numbered rows of another version"):
        list(read_lines(path))


@pytest.mark.parametrize("numbers", [range(1000), [LARGEST, 0, 255, 256, 10**9], range(0, 10**6, 997)])
def test_a_set_of_numbers(numbers: list[int]) -> None:
    """Each is added once, and nothing is in it that was not added."""
    found = Numbers()
    assert all(found.add(number) for number in numbers)
    assert not any(found.add(number) for number in numbers)
    assert len(found) == len(numbers)
    assert all(number in found for number in numbers)
    assert not any(number + 1 in found for number in numbers if number + 1 not in set(numbers))
