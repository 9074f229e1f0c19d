"""A gallery shows what there is of a run's finished rows, and nothing that is not there."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from producer.gallery import reading
from producer.gallery.building import Made
from producer.gallery.gallery import Gallery
from producer.run.ledger import Ledger
from tests.support.cli import row as edit
from tests.support.galleries import BLUE, RED, data_of, edits, picture, rows_of, run_of
from worker.contract.errors import RunError
from worker.contract.row_warnings import RowWarning


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Return a folder with a picture."""
    picture(tmp_path / "a.png")
    return tmp_path


def colour(folder: Path, name: str) -> tuple[int, ...]:
    """Return the colour in the middle of one of a page's pictures, each channel in steps of 32: JPEG is not exact."""
    with Image.open(folder / "gallery" / name) as image:
        found = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(found, tuple)
    return tuple(channel // 32 for channel in found)


def stages(colour_: tuple[int, int, int]) -> tuple[int, ...]:
    """Return a colour in steps of 32."""
    return tuple(channel // 32 for channel in colour_)


def test_a_finished_row_has_all_that_is_known_of_it(here: Path) -> None:
    """Its instruction, seed, steps, seconds and worker, its input in small, and its result in small and by a link."""
    folder = run_of(here, [{**edit("a.png", "Make it blue."), "edit": {"seed": 7, "steps": 3}}])
    assert Gallery(folder).make() == Made(shown=1, waiting=0, step=1)
    [row] = rows_of(folder)
    before, [after] = row.pop("before"), row.pop("after")
    assert row == {
        "row": 0,
        "line": 1,
        "state": "done",
        "text": "Make it blue.",
        "image": "a.png",
        "seed": 7,
        "steps": 3,
        "seconds": {"decode": 0.01, "model": 1.0},
        "worker": "gpu0@here",
        "bucket": [304, 208],
        "batch_size": 1,
    }
    assert colour(folder, before) == stages(RED)
    assert colour(folder, after["small"]) == colour(folder, after["full"]) == stages(BLUE)
    assert after["full"] == "../sample_0/sample_0_0.png"


def test_a_failed_row_says_why(here: Path) -> None:
    """It has its instruction, its input where that can be read, its error at its line, and no result."""
    rows = [edit("a.png", "One."), edit("absent.png", "Two.")]
    folder = run_of(here, rows, failed={0: "the model broke", 1: "no such file"})
    Gallery(folder).make()
    one, two = rows_of(folder)
    assert [row["state"] for row in (one, two)] == ["failed", "failed"]
    assert [row["text"] for row in (one, two)] == ["One.", "Two."]
    assert [row["error"] for row in (one, two)] == ["line 1: the model broke", "line 2: no such file"]
    assert (colour(folder, one["before"]), "before" in two) == (stages(RED), False)
    assert not {"after"} & {*one, *two}


def test_a_line_that_is_no_row_is_shown_as_it_is(here: Path) -> None:
    """A line without JSON, and a row without an instruction, have their text and their error."""
    folder = run_of(here, ["no JSON </script>", {"images": "a.png"}])
    Gallery(folder).make()
    broken, silent = rows_of(folder)
    assert broken["text"] == "no JSON </script>"
    assert broken["error"].startswith("line 1: is no JSON")
    assert "text" not in silent
    assert colour(folder, silent["before"]) == stages(RED)
    assert silent["error"].startswith("line 2: conversations: ")


def test_a_kept_row_shows_the_picture_that_it_came_with(here: Path) -> None:
    """From the input's own folder; without a link, since it lies out of the run's. One that is gone is left out."""
    picture(here / "mine.png", BLUE)
    folder = run_of(here, [{**edit("a.png", "Mine."), "output_image": [name]} for name in ("mine.png", "gone.png")])
    Gallery(folder).make()
    kept, gone = rows_of(folder)
    assert [(row["state"], row["text"], row["warnings"]) for row in (kept, gone)] == [("kept", "Mine.", ["kept"])] * 2
    assert [(colour(folder, after["small"]), "full" in after) for after in kept["after"]] == [(stages(BLUE), False)]
    assert "after" not in gone


def test_every_picture_of_a_row_is_there(here: Path) -> None:
    """A row of several pictures has them all, in order."""
    folder = run_of(here, edits(1), num_images=3)
    Gallery(folder).make()
    [row] = rows_of(folder)
    assert [after["full"] for after in row["after"]] == [f"../sample_0/sample_0_{index}.png" for index in range(3)]


def test_the_pictures_of_every_turn_are_there(here: Path) -> None:
    """What the row became first, then what it was on the way, each with its turn; the instruction is that of all."""
    rows = [{"images": "a.png", "conversations": ["One.", "Two.", "Three."]}]
    folder = run_of(here, rows, turns="each", num_images=2)
    Gallery(folder).make()
    [row] = rows_of(folder)
    names = ["sample_0_0", "sample_0_1", "turn_1_0", "turn_1_1", "turn_2_0", "turn_2_1"]
    assert [after["full"] for after in row["after"]] == [f"../sample_0/{name}.png" for name in names]
    assert [after.get("turn") for after in row["after"]] == [None, None, 1, 1, 2, 2]
    assert row["text"] == "One.\nTwo.\nThree."


def test_stitched_images_are_one(here: Path) -> None:
    """Where a row's images are put side by side, that is what it was made from."""
    picture(here / "b.png", BLUE)
    folder = run_of(here, [edit(["a.png", "b.png"], "Join them.")], multi_image="stitch")  # type: ignore[arg-type]
    Gallery(folder).make()
    [row] = rows_of(folder)
    with Image.open(folder / "gallery" / row["before"]) as image:
        assert image.size == (120, 40)
    assert row["image"] == "a.png, b.png"


def test_a_result_that_is_gone_is_left_out(here: Path) -> None:
    """So is one that is damaged; the row is there."""
    folder = run_of(here, edits(2))
    shutil.rmtree(folder / "sample_0")
    (folder / "sample_1/sample_1_0.png").write_bytes(b"no picture")
    Gallery(folder).make()
    assert [(row["state"], "after" in row) for row in rows_of(folder)] == [("done", False), ("done", False)]


def test_warnings_are_those_of_the_row_and_of_the_worker(here: Path) -> None:
    """What the input gave cause to say and what the worker did, with what each means."""
    rows = [edit("a.png", "<image> Make it blue.")]
    folder = run_of(here, rows, warned={0: RowWarning.IMAGE_DAMAGED})
    Gallery(folder).make()
    [row] = rows_of(folder)
    assert row["warnings"] == ["markup-removed", "image-damaged"]
    assert data_of(folder)["meaning"].keys() >= {*row["warnings"]}


def test_small_pictures_are_made_once(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second call makes none; rows of one input share one; and none is larger than the page needs."""
    picture(here / "a.png", size=(3000, 1500))
    folder = run_of(here, edits(3))
    Gallery(folder).make()
    made = {path: path.stat().st_mtime_ns for path in (folder / "gallery/small").rglob("*.jpg")}
    first = rows_of(folder)
    assert len(made) == 1 + 3
    with Image.open(folder / "gallery" / first[0]["before"]) as image:
        assert image.size == (768, 384)
    monkeypatch.setattr(Image, "open", lambda *_: pytest.fail("a picture was opened again"))
    Gallery(folder).make()
    assert rows_of(folder) == first
    assert {path: path.stat().st_mtime_ns for path in (folder / "gallery/small").rglob("*.jpg")} == made


def test_a_folder_that_was_moved_shows_the_same(here: Path, tmp_path: Path) -> None:
    """Nothing of the page leads out of the run's folder, and its small pictures are not made again."""
    folder = run_of(here, edits(2))
    Gallery(folder).make()
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    (here / "a.png").unlink()
    Gallery(moved).make()
    for row in rows_of(moved):
        for name in (row["before"], row["after"][0]["small"], row["after"][0]["full"]):
            assert (moved / "gallery" / name).resolve().is_relative_to(moved)
            assert (moved / "gallery" / name).is_file()


def test_a_row_that_was_edited_again_has_its_new_picture(here: Path) -> None:
    """Its small picture is not the old one, which goes once nobody can be reading it any more."""
    folder = run_of(here, edits(1))
    Gallery(folder).make()
    [old] = rows_of(folder)
    picture(folder / "sample_0/sample_0_0.png", RED)
    run_of(here, edits(1), seed=1)
    shown = folder / "gallery" / old["after"][0]["small"]
    Gallery(folder).make()
    [new] = rows_of(folder)
    assert colour(folder, new["after"][0]["small"]) == stages(RED)
    assert shown.exists()
    os.utime(shown, (0, 0))
    Gallery(folder).make()
    assert not shown.exists()
    assert (folder / "gallery" / new["after"][0]["small"]).exists()


def test_of_many_rows_some_are_shown(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spread evenly over the run; the page says how many, and loads them in chunks."""
    monkeypatch.setattr(reading, "CHUNK", 2)
    folder = run_of(here, edits(10))
    assert Gallery(folder, most=4).make() == Made(shown=4, waiting=0, step=3)
    assert [row["row"] for row in rows_of(folder)] == [0, 3, 6, 9]
    assert [chunk["rows"] for chunk in data_of(folder)["chunks"]] == [2, 2]
    assert data_of(folder)["step"] == 3


def test_it_follows_a_run(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows appear as they are answered, only their chunk is written anew, and at the end the page stops looking."""
    monkeypatch.setattr(reading, "CHUNK", 2)
    folder = run_of(here, edits(5), waiting=(2, 3, 4))
    seen = []

    def answered_meanwhile(_: float) -> None:
        facts = data_of(folder)
        seen.append((facts["live"], [row["row"] for row in rows_of(folder)], facts["chunks"][0]["digest"]))
        run_of(here, edits(5), waiting=(4,) if len(seen) == 1 else ())

    assert Gallery(folder).follow(answered_meanwhile) == Made(shown=5, waiting=0, step=1)
    assert [(live, rows) for live, rows, _ in seen] == [(True, [0, 1]), (True, [0, 1, 2, 3])]
    assert seen[0][2] == seen[1][2]
    assert (data_of(folder)["live"], len(rows_of(folder))) == (False, 5)


def test_whoever_ends_it_leaves_a_page_that_does_not_wait(here: Path) -> None:
    """Ctrl-C while it follows a run leaves what there is, and the page looks for nothing more."""
    folder = run_of(here, edits(2), waiting=(1,))

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Gallery(folder).follow(interrupt)
    assert (data_of(folder)["live"], len(rows_of(folder))) == (False, 1)


def test_it_holds_up_no_writer(here: Path) -> None:
    """While small pictures are made, the ledger can be written: no look into it is open meanwhile."""
    folder = run_of(here, edits(3))

    def write(_: int) -> None:
        with Ledger(folder) as ledger, ledger.transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES ('written', 'meanwhile')")

    assert Gallery(folder, progress=write).make().shown == 3


def test_an_answer_to_an_older_form_of_a_row_is_not_shown(here: Path) -> None:
    """Where the input was changed since, the row is not finished."""
    folder = run_of(here, edits(2))
    text = (here / "in.jsonl").read_text().replace("number 1", "number one")
    (here / "in.jsonl").write_text(text)
    Gallery(folder).make()
    assert [row["row"] for row in rows_of(folder)] == [0]


def _no_run(here: Path) -> Path:
    (here / "run").mkdir()
    return here / "run"


def _no_folder(here: Path) -> Path:
    return here / "absent"


def _nothing_finished(here: Path) -> Path:
    return run_of(here, edits(2), waiting=(0, 1))


def _no_input(here: Path) -> Path:
    folder = run_of(here, edits(1))
    (here / "in.jsonl").unlink()
    return folder


def _not_ours(here: Path) -> Path:
    folder = run_of(here, edits(1))
    (folder / "gallery").mkdir()
    (folder / "gallery/index.html").write_text("<h1>My own</h1>")
    return folder


def _no_room(here: Path) -> Path:
    folder = run_of(here, edits(1))
    (folder / "gallery").write_text("a file")
    return folder


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (_no_run, "holds no run; begin one with `producer submit"),
        (_no_folder, "There is no folder"),
        (_nothing_finished, "No row of the run .* is finished, so there is nothing to show yet; .* --watch"),
        (_no_input, "The input .*in.jsonl cannot be read: No such file"),
        (_not_ours, r"gallery/index.html is no page of this command; move it away"),
        (_no_room, "gallery cannot be written: "),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(here: Path, prepare: Callable[[Path], Path], sentence: str) -> None:
    """Whatever stands in the way is named, and nothing is overwritten or lost."""
    folder = prepare(here)
    before = sorted(path for path in here.rglob("*") if path.suffix != ".sqlite")
    with pytest.raises(RunError, match=sentence):
        Gallery(folder).make()
    assert set(before) <= set(here.rglob("*"))
    if prepare is _not_ours:
        assert (folder / "gallery/index.html").read_text() == "<h1>My own</h1>"


def test_rows_with_numbers_of_their_own_are_shown_by_their_places(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every so many of them, in chunks, however far apart their numbers are."""
    monkeypatch.setattr(reading, "CHUNK", 2)
    numbers = [3000, 90, 60, 3, 2**53 - 1, 30]
    folder = run_of(here, edits(6), numbers=numbers)
    assert Gallery(folder).make() == Made(shown=6, waiting=0, step=1)
    assert [row["row"] for row in rows_of(folder)] == numbers
    assert Gallery(folder, most=3).make() == Made(shown=3, waiting=0, step=2)
    assert [row["row"] for row in rows_of(folder)] == [3000, 60, 2**53 - 1]
