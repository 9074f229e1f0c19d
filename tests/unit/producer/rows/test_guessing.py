"""Where a column is missing, the error names the option for the one that was probably meant."""

from typing import Any

import pytest

from producer.rows.guessing import CONVERSATIONS, IMAGES, Column, did_you_mean
from worker.settings.presets import PRESETS


@pytest.mark.parametrize(
    ("fields", "key", "column", "meant"),
    [
        ({"image": "a.png"}, "images", IMAGES, "--input-image-key image"),
        ({"IMAGES": "a.png"}, "images", IMAGES, "--input-image-key IMAGES"),
        ({"id": "17", "pictures": ["a.png"], "picture_id": 3}, "picture", IMAGES, "--input-image-key pictures"),
        ({"source image": "a.png"}, "source_image", IMAGES, "--input-image-key 'source image'"),
        ({"id": "17", "img": "a.png"}, "images", IMAGES, "--input-image-key img"),
        ({"conversation": [{}]}, "conversations", CONVERSATIONS, "--input-conversation-key conversation"),
        ({"caption": "x", "prompt": "Make it red."}, "conversations", CONVERSATIONS, "--input-conversation-key prompt"),
        # What it holds cannot be it, nobody would call it so, or it is no name.
        ({"image": 3, "img": None, "image_path": ""}, "images", IMAGES, None),
        ({"prompt": {"text": "Make it red."}}, "conversations", CONVERSATIONS, None),
        ({"label": "a.png"}, "images", IMAGES, None),
        ({"images\n": "a.png", "images" + 60 * "s": "a.png", "": "a.png"}, "images", IMAGES, None),
        ({}, "images", IMAGES, None),
    ],
)
def test_the_nearest_name_is_offered(fields: dict[str, Any], key: str, column: Column, meant: str | None) -> None:
    """Or a usual one; nothing where nothing fits."""
    assert did_you_mean(fields, key, column) == ("." if meant is None else f"; did you mean {meant}?")


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_columns_of_known_data_sets_are_known(preset: dict[str, str]) -> None:
    """A user who does not know of the presets is told both columns."""
    row = {preset["input_image_key"]: "a.png", preset["input_conversation_key"]: "Make it red."}
    for key, column in (("input_image_key", IMAGES), ("input_conversation_key", CONVERSATIONS)):
        assert did_you_mean(row, "missing", column) == f"; did you mean {column.option} {preset[key]}?"
