"""An output that is parquet has every column of the rows, its pictures as paths or in it, and reads everywhere."""

import base64
import importlib.util
import json
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from producer.collecting import table
from producer.collecting.output import Written, write_output
from producer.collecting.table_images import paths_in
from producer.rows.lines import read_lines
from producer.run import opening
from producer.run.output_place import require_form
from tests.support.cli import row as edit
from tests.support.galleries import BLUE, RED, edits, picture, run_of
from worker.contract.errors import SettingsError
from worker.contract.row_warnings import RowWarning


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a picture, in which commands run."""
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "a.png")
    return tmp_path


def collected(folder: Path, output: str = "out.parquet", **instead: Any) -> Written:
    """Write the output of a run."""
    with opening.reopen(folder, "collect", output=Path(output), **instead) as run:
        return write_output(run, run.output_path)


def rows_in(path: str = "out.parquet") -> list[dict[str, Any]]:
    """Return a table's rows, as pyarrow has them."""
    found: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return found


def loaded(cache: Path, path: str = "out.parquet") -> Any:
    """Load a table as users of Hugging Face's library do."""
    return datasets.load_dataset("parquet", data_files=path, cache_dir=str(cache), split="train")


SHOWN = ["./run/sample_0/sample_0_0.png"]


def test_every_column_is_there(here: Path) -> None:
    """The user's own as they were, then ours: paths of pictures, errors and warnings; rows have the input's order."""
    values = {"n": 1, "x": 0.5, "l": [1, None], "o": {"a": [{"b": True}]}, "none": None, "big": 2**62, "empty": []}
    rows = [{**edit("a.png", "Make it blue."), **values}, edit("a.png", "Fail."), {"images": "a.png"}, "no json"]
    warned = {0: RowWarning.INSTRUCTION_CUT}
    run_of(here, rows, failed={1: "image a.png: no such file."}, warned=warned)
    written = collected(Path("run"))
    assert written.unanswered == 0
    first, second, third, fourth = rows_in()
    assert first == {**rows[0], "raw": None, "output_image": SHOWN, "error": None, "warnings": ["instruction-cut"]}  # type: ignore[dict-item]
    assert (second["output_image"], second["error"]) == ([], "line 2: image a.png: no such file.")
    assert third["error"].startswith("line 3: ")
    assert fourth["raw"] == "no json"
    ours = ["output_image", "error", "warnings"]
    assert parquet.read_schema("out.parquet").names == ["images", "conversations", *values, "raw", *ours]
    assert sorted(path.name for path in here.iterdir()) == ["a.png", "in.jsonl", "out.parquet", "run"]


@pytest.mark.parametrize("read", ["datasets", "pandas", "polars", "again"])
def test_it_reads_everywhere(here: Path, read: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """By the libraries that people use, and by this very producer."""
    rows = [{**row, "n": n, "l": [], "o": {"a": None}} for n, row in enumerate(edits(3))]
    run_of(here, rows)
    collected(Path("run"))
    expected = [{**row, "output_image": [f"./run/sample_{n}/sample_{n}_0.png"]} for n, row in enumerate(rows)]
    if read == "datasets":
        found = loaded(tmp_path_factory.mktemp("cache")).to_list()
    elif read == "pandas":
        found = json.loads(pd.read_parquet("out.parquet").to_json(orient="records"))
    elif read == "polars":
        found = pl.read_parquet("out.parquet").to_dicts()
    else:
        found = [json.loads(line.text) for line in read_lines(Path("out.parquet"))]
    assert found == expected


def test_values_of_several_kinds_are_json_text(here: Path) -> None:
    """In every row of that column, and one sentence says which."""
    odd = [1, "a", ["b"], None, 2.5]
    run_of(here, [{**row, "odd": value} for row, value in zip(edits(5), odd, strict=True)])
    written = collected(Path("run"))
    assert [row["odd"] and json.loads(row["odd"]) for row in rows_in()] == odd
    assert written.sentences == [
        "The column odd holds integers and lists and numbers and text, and is JSON text in the output."
    ]


def test_paths_and_lists_of_paths_are_lists(here: Path) -> None:
    """Of the column of images, so that the table reads as the same rows again; and nothing is to be said of it."""
    run_of(here, [*edits(1), edit(["a.png", "a.png"], "Make it red."), {**edits(1)[0], "images": None}])
    assert not any("JSON text" in sentence for sentence in collected(Path("run")).sentences)
    assert [row["images"] for row in rows_in()] == [["a.png"], ["a.png", "a.png"], None]


def test_rows_that_came_with_their_output_have_paths_too(here: Path) -> None:
    """In whatever form they had them: the column is a list of paths."""
    kept = ["x.png", ["x.png", "y.png"], {"path": "x.png", "bytes": None}, [{"path": "x.png"}]]
    run_of(here, [{**edits(1)[0], "output_image": value} for value in [*kept, None]])
    collected(Path("run"))
    assert [row["output_image"] for row in rows_in()] == [
        ["x.png"], ["x.png", "y.png"], ["x.png"], ["x.png"], ["./run/sample_4/sample_4_0.png"]
    ]  # fmt: skip
    assert parquet.read_schema("out.parquet").field("output_image").type == pa.list_(pa.string())


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        (None, []), ("", []), ([""], []), ([], []), ({"path": "", "bytes": None}, []),
        ("a", ["a"]), (["a", {"path": "b"}], ["a", "b"]),
        (7, None), ({"url": "a"}, None), ({"path": "a", "bytes": "AA=="}, None), (["a", 7], None),
    ],
)  # fmt: skip
def test_paths_in_any_form(value: Any, paths: list[str] | None) -> None:
    """What is none of them is not guessed."""
    assert paths_in(value) == paths


def test_a_table_without_a_picture_has_the_column(here: Path) -> None:
    """Where every row failed it is a list of paths all the same."""
    run_of(here, edits(2), failed={0: "bad.", 1: "bad."})
    collected(Path("run"))
    assert parquet.read_schema("out.parquet").field("output_image").type == pa.list_(pa.string())
    assert [row["output_image"] for row in rows_in()] == [[], []]


@pytest.mark.parametrize("paths", ["as-given", "relative", "absolute"])
def test_pictures_in_the_table(
    here: Path, paths: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each is the file itself, of however many row groups, and the library of Hugging Face's shows it as an image."""
    monkeypatch.setattr(table, "_MOST_ROWS", 2)
    rows: list[Any] = [{**edit("a.png", "Twice."), "edit": {"num_images": 2}}, *edits(2)]
    rows.append({**edits(1)[0], "output_image": "a.png"})
    run_of(here, rows, failed={2: "bad."}, output_paths=paths)
    written = collected(Path("run"), "made/out.parquet", output_images="bytes")
    assert written.sentences[1:] == []
    found = rows_in("made/out.parquet")
    files = [here / f"run/sample_0/sample_0_{n}.png" for n in range(2)]
    assert [one["bytes"] for one in found[0]["output_image"]] == [file.read_bytes() for file in files]
    assert [len(row["output_image"]) for row in found] == [2, 1, 0, 1]
    assert parquet.ParquetFile("made/out.parquet").num_row_groups == 2
    data = loaded(tmp_path_factory.mktemp("cache"), "made/out.parquet")
    assert isinstance(data.features["output_image"].feature, datasets.Image)
    colours = [[image.getpixel((0, 0)) for image in row["output_image"]] for row in data]
    assert colours == [[BLUE, BLUE], [BLUE], [], [RED]]


def test_a_picture_that_is_gone_is_counted(here: Path) -> None:
    """Its path stays, without bytes, and one sentence says how many there are."""
    run_of(here, edits(3))
    for number in (1, 2):
        (here / f"run/sample_{number}/sample_{number}_0.png").unlink()
    written = collected(Path("run"), output_images="bytes")
    assert [[one["bytes"] is None for one in row["output_image"]] for row in rows_in()] == [[False], [True], [True]]
    assert written.sentences == [
        "2 pictures are not there and have no bytes in the output (such as ./run/sample_1/sample_1_0.png)."
    ]


def test_a_picture_that_came_as_bytes_stays_one(here: Path) -> None:
    """A row that was left alone, of a table with pictures in it, keeps its own."""
    data = (here / "a.png").read_bytes()
    came = {"bytes": base64.b64encode(data).decode(), "path": "x.png"}
    run_of(here, [{**edits(1)[0], "output_image": came}])
    collected(Path("run"), output_images="bytes")
    assert rows_in()[0]["output_image"] == [{"bytes": data, "path": "x.png"}]


def test_a_json_array(here: Path) -> None:
    """An output whose name ends in .json is one value, with the rows as a jsonl has them, letter by letter."""
    run_of(here, [*edits(2), '{"images":  1.50}'])
    for name in ("out.json", "out.jsonl"):
        collected(Path("run"), name)
    lines = Path("out.jsonl").read_text().splitlines()
    assert Path("out.json").read_text() == "[\n" + ",\n".join(lines) + "\n]\n"
    assert json.loads(Path("out.json").read_text()) == [json.loads(line) for line in lines]


def test_only_parquet_holds_pictures() -> None:
    """Another form is refused before the first row."""
    with pytest.raises(SettingsError, match=r"^FLEET_OUTPUT_IMAGES is bytes, which only parquet holds"):
        require_form(Path("out.jsonl"), "bytes")
    require_form(Path("OUT.PARQUET"), "bytes")


def test_parquet_without_pyarrow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names what to install, and nothing was begun."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr("producer.run.output_place.find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"pip install 'bulk-image-editor\[tables\]'"):
        require_form(Path("out.parquet"), "paths")


def test_a_table_that_cannot_be_written_leaves_the_old_one(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends it in the middle, the file is the old one or the new one, and nothing lies beside it."""
    run_of(here, edits(2))
    Path("out.parquet").write_text("old")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(table.parquet.ParquetWriter, "write_table", full)
    with pytest.raises(Exception, match="No space left on device"):
        collected(Path("run"))
    assert Path("out.parquet").read_text() == "old"
    assert not list(here.glob(".*"))


def test_pictures_are_whole(here: Path) -> None:
    """A file that is embedded is a picture that Pillow opens."""
    run_of(here, edits(1))
    collected(Path("run"), output_images="bytes")
    Path("b.png").write_bytes(rows_in()[0]["output_image"][0]["bytes"])
    with Image.open("b.png") as image:
        assert image.size == (60, 40)
