"""Rows of text2image: the instruction is all that there is."""

import json
from pathlib import Path
from typing import Any

import pytest

from producer.rows.lines import Line
from producer.rows.parser import Row, RowParser
from worker.settings.fleet import load_settings

PROMPT = {"conversations": [{"role": "user", "content": "A house by a lake."}]}


def parse(fields: dict[str, Any], **settings: Any) -> Row:
    """Parse a line of a run of text2image."""
    given = {"diffuser_model_name": "tiny-klein", "image_gen_task": "text2image", **settings}
    parser = RowParser(load_settings(**given), run="0" * 16, base=Path("/data"), run_dir=Path("/run"))
    return parser.parse(Line(row=3, number=4, text=json.dumps(fields)))


@pytest.mark.parametrize("images", [None, "", [], [""], {"path": "", "bytes": None}], ids=str)
def test_a_row_has_an_instruction_and_nothing_else(images: object) -> None:
    """What writers of data sets put where there is no image is none."""
    for fields in (PROMPT, {"images": images, **PROMPT}):
        request = parse(fields).request
        assert request is not None
        assert (request.task, request.images, request.prompt) == ("text2image", (), "A house by a lake.")
        assert (request.size, request.references) == ("256x256", False)


@pytest.mark.parametrize("images", ["a.png", ["a.png", "b.png"], {"path": "a.png"}, "data:image/png;base64,AAAA"])
def test_a_row_with_an_image_is_an_error(images: object) -> None:
    """Whoever named it wanted it edited."""
    assert parse({"images": images, **PROMPT}).error == (
        "line 4: images: names an image, and text2image takes none; leave it out, or edit it with --task imageedit."
    )


def test_a_row_without_an_image_is_no_edit() -> None:
    """It stays the error that it is."""
    error = parse(PROMPT, image_gen_task="imageedit").error
    assert error == (
        'line 4: images: expected a path or a list of paths, found no such field (there is "conversations").'
    )


@pytest.mark.parametrize("size", ["auto", "input", "bucket"])
def test_a_size_of_its_own_is_by_number(size: str) -> None:
    """One that follows from a picture is that row's error."""
    assert parse({**PROMPT, "edit": {"size": size}}).error == (
        f"line 4: edit.size: {size} follows from a picture, and text2image has none; name a width and a height such as"
        " 1024x1024."
    )
    request = parse({**PROMPT, "edit": {"size": "96x64", "seed": 7, "num_images": 3}}).request
    assert request is not None
    assert (request.size, request.seed, request.num_images) == ("96x64", 7, 3)


def test_an_instruction_must_be_there() -> None:
    """As for an edit."""
    assert parse({"images": ""}).error == (
        'line 4: conversations: expected a list of turns, found no such field (there is "images").'
    )


def test_another_task_is_another_row() -> None:
    """So that the same folder never takes the picture of one task for the other's."""
    rows = [
        parse({**PROMPT, "images": images}, image_gen_task=task, size="256x256").request
        for images, task in (("", "text2image"), ("a.png", "imageedit"))
    ]
    assert len({row.fingerprint for row in rows if row is not None}) == 2


def test_a_finished_row_is_left_alone_where_pictures_come_into_the_column_of_images() -> None:
    """What an earlier run has put there is no image to edit."""
    done = parse({"images": ["./sample_0/sample_0_0.png"], **PROMPT}, output_image_key="images")
    assert done.kept
    assert parse({"images": [], **PROMPT}, output_image_key="images").request is not None
