"""A gallery of pictures from instructions alone: what was made, and nothing before it."""

from pathlib import Path

from producer.gallery.gallery import Gallery
from tests.support.galleries import picture, rows_of, run_of

PROMPT = {"conversations": [{"role": "user", "content": "A house by a lake."}]}


def test_what_was_made_has_nothing_before_it(tmp_path: Path) -> None:
    """Neither a row without an image nor one whose picture stands in the column of images."""
    picture(tmp_path / "there.png")
    rows = [PROMPT, {**PROMPT, "images": "there.png"}]
    columns = {"image_gen_task": "text2image", "output_image_key": "images", "size": "96x64"}
    folder = run_of(tmp_path, rows, model="tiny-klein", **columns)
    Gallery(folder).make()
    made, kept = rows_of(folder)
    assert (made["state"], kept["state"]) == ("done", "kept")
    assert all("before" not in row and "image" not in row and row["after"] for row in (made, kept))


def test_a_row_with_an_image_shows_its_error(tmp_path: Path) -> None:
    """And no picture."""
    picture(tmp_path / "there.png")
    rows = [PROMPT, {**PROMPT, "images": "there.png"}]
    folder = run_of(tmp_path, rows, model="tiny-klein", image_gen_task="text2image", size="96x64")
    Gallery(folder).make()
    _, failed = rows_of(folder)
    assert failed["error"].startswith("line 2: images: names an image, and text2image takes none; ")
    assert not {"before", "after", "image"} & set(failed)
