"""Rows that come with their output: what counts as one, and which of its files are not there."""

from pathlib import Path
from typing import Any

import pytest

from producer.rows.outputs import absent_files, has_output

#: What writers of data sets put where there is no picture.
NOTHING = [
    None,
    "",
    " ",
    [],
    [""],
    [None, ""],
    {},
    {"path": "", "bytes": None},
    {"path": None},
    [{"path": "", "bytes": ""}],
]
SOMETHING = [
    "a.png", ["", "a.png"], {"path": "a.png", "bytes": None}, {"path": "", "bytes": "aGVsbG8="}, {"path": "a.png"},
    [{"path": "a.png"}], {"src": ""}, "https://host/a.png", 7,
]  # fmt: skip


@pytest.mark.parametrize("value", NOTHING, ids=repr)
def test_nothing_is_no_output(value: Any) -> None:
    """An empty column, list or image object is not done."""
    assert not has_output(value)
    assert absent_files(value, [Path()]) == []


@pytest.mark.parametrize("value", SOMETHING, ids=repr)
def test_something_is_an_output(value: Any) -> None:
    """A path, an image object with a path or bytes, or a list with one of them is."""
    assert has_output(value)


@pytest.mark.parametrize(
    ("value", "absent"),
    [
        ("there.png", []),
        ("elsewhere.png", []),
        ("gone.png", ["gone.png"]),
        (["there.png", "gone.png", "./gone/too.png"], ["gone.png", "./gone/too.png"]),
        ({"path": "gone.png", "bytes": None}, ["gone.png"]),
        ({"path": "gone.png", "bytes": "aGVsbG8="}, []),
        ("s3://bucket/gone.png", []),
        ("data:image/png;base64,aGVsbG8=", []),
        ("folder", ["folder"]),
        ("x" * 5000, ["x" * 5000]),
        ("nul\0.png", ["nul\0.png"]),
        (7, []),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_files_that_are_in_no_folder_are_named(value: Any, absent: list[str], tmp_path: Path) -> None:
    """A named file is looked for in each folder; what is no path is not looked for."""
    for folder, name in (("one", "there.png"), ("other", "elsewhere.png")):
        (tmp_path / folder / "folder").mkdir(parents=True)
        (tmp_path / folder / name).touch()
    assert absent_files(value, [tmp_path / "one", tmp_path / "other"]) == absent
