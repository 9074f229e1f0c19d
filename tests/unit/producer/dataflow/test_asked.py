"""What DataFlow's operators hand to a serving, as numbered rows."""

from typing import Any

import numpy as np
import pytest

from producer.dataflow.asked import asked_for
from producer.rows.numbers import LARGEST
from worker.contract.errors import RowsError

TURNS = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]


@pytest.mark.parametrize(
    ("one", "row"),
    [
        ({"image_path": "a.png", "prompt": "x"}, {"images": "a.png", "conversations": ["x"]}),
        ({"image_path": ["a.png"], "prompt": ""}, {"images": ["a.png"], "conversations": [""]}),
        (
            {"image_path": "a.png", "prompt": "two", "conversations": TURNS},  # whose last turn is no user's
            {"images": "a.png", "conversations": TURNS},
        ),
        ({}, {"images": None, "conversations": [None]}),  # which is that row's error
    ],
)
def test_a_row_has_its_number(one: dict[str, Any], row: dict[str, Any]) -> None:
    """An index, one of numpy's, too, is the row's number, and names its key."""
    [asked] = asked_for([{"idx": np.int64(7), **one}], "imageedit")
    assert asked == ("sample_7", 7, row)


def test_what_has_no_number_has_one_that_does_not_depend_on_its_place() -> None:
    """Of pairs, texts and indexes that are none, it follows from what they say, and no two are the same."""
    edits = [("a.png", "x"), ("b.png", "y"), {"idx": "name"}, {"idx": -1}]
    texts = ["x", {"sample_id": "sample0_condition0", "text_prompt": "x"}]
    for inputs, task in ((edits, "imageedit"), (texts, "text2image")):
        there = {asked.key: asked.number for asked in asked_for(inputs, task)}
        assert {asked.key: asked.number for asked in asked_for(inputs[::-1], task)} == there
        assert len({*there.values()}) == len(inputs)
        assert all(0 <= number <= LARGEST for number in there.values())


def test_the_same_twice_is_asked_for_once() -> None:
    """It would have one answer; another row of its key would have none, and is refused."""
    one = {"idx": 1, "image_path": "a.png", "prompt": "x"}
    assert len(asked_for([one, one], "imageedit")) == 1
    with pytest.raises(RowsError, match=r"user_inputs\[1\]: 'sample_1' is the key of another one, too"):
        asked_for([one, {**one, "prompt": "y"}], "imageedit")


@pytest.mark.parametrize(
    ("one", "task"),
    [
        ("a.png", "imageedit"),
        (3, "imageedit"),
        ((1, 2, 3), "imageedit"),
        (3, "text2image"),
        ({"prompt": "x"}, "text2image"),
    ],
)
def test_what_is_nothing_to_be_made_is_refused(one: Any, task: str) -> None:
    """The sentence says which it is, and what was expected."""
    with pytest.raises(RowsError, match=r"user_inputs\[0\]: expected .*, found "):
        asked_for([one], task)
