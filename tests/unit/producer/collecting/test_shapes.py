"""Columns get the narrowest kind that holds all of their values, and JSON text where there is none."""

import json
from typing import Any

import pytest

from producer.collecting.shapes import Shape


def shape_of(*values: Any) -> Shape:
    """Look at values of one column."""
    shape = Shape()
    for value in values:
        shape.see(value)
    return shape


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], None),
        ([None, None], None),
        ([None, True], bool),
        ([1, None, -(2**63) + 1], int),
        ([1, 0.5], float),
        ([0.5, float("nan")], float),
        (["a", None], str),
        ([[], [1]], list),
        ([{"a": 1}, {"b": 2}], dict),
        ([2**63], object),  # beyond 64 bits
        ([2**53 + 1, 0.5], object),  # a double would lose a digit
        ([True, 1], object),
        (["a", 1], object),
        (["a", ["b"]], object),
        ([[1], {"a": 1}], object),
        (["\ud800"], object),  # no text that UTF-8 has
        ([{"\ud800": 1}], object),
        ([{}], object),  # a column of columns, of which there are none
        ([{str(n): n for n in range(501)}], object),  # data, and no names of columns
    ],
)
def test_the_kind_of_values(values: list[Any], kind: type | None) -> None:
    """Null is of every kind; what would lose anything is JSON text."""
    assert shape_of(*values).kind is kind


@pytest.mark.parametrize(
    ("values", "is_taken"),
    [
        (["a", ["b"]], True),
        (["a", []], True),
        (["a"], False),
        ([["a"]], False),
        (["a", [1]], False),
        (["a", {}], False),
    ],
)
def test_texts_among_lists_of_texts(values: list[Any], *, is_taken: bool) -> None:
    """They are taken for lists of one where that is asked for, and nothing else is."""
    shape = shape_of(*values)
    before = shape.kind
    assert shape.take_as_lists() is is_taken
    assert shape.kind is (list if is_taken else before)
    assert not is_taken or (shape.items and shape.items.kind) is str


def test_only_the_place_that_needs_it_is_text() -> None:
    """What lies beside it, and around it, keeps its kind; the place is named."""
    shape = shape_of(json.loads('[{"role": "user", "content": "a"}, {"role": "b", "content": [{"text": 1}]}]'))
    assert [*shape.as_text("turns")] == [("turns[].content", "lists and text")]
    assert shape.items is not None
    assert (shape.kind, shape.items.kind, shape.items.fields["role"].kind) == (list, dict, str)
    assert not shape_of([{"a": [1]}], [{"a": None, "b": "x"}], None).has_text()
