"""The rows of a trial: a picture that went to the wrong row must show."""

from pathlib import Path

import pytest

from tests.chaos.rows import COMBINATIONS, EDITS, PHOTOS, SHAPES, asked, neighbour, write_rows
from tests.support.cli import read_jsonl
from tests.support.meaning import target

COUNT = 400


def test_every_combination_comes_before_any_comes_again() -> None:
    """And all of them come."""
    found = [asked(Path(), number) for number in range(COUNT)]
    assert len(set(found[:COMBINATIONS])) == COMBINATIONS == len(SHAPES) * len(PHOTOS) * len(EDITS)
    assert found[COMBINATIONS:] == found[: COUNT - COMBINATIONS]


def test_the_same_is_asked_for_in_other_words(tmp_path: Path) -> None:
    """Three times over, the input has no two rows alike."""
    rows = read_jsonl(write_rows(tmp_path, 3 * COMBINATIONS))
    assert len({str(row) for row in rows}) == 3 * COMBINATIONS
    assert all((tmp_path / row["images"]).is_file() for row in rows)


@pytest.mark.parametrize("count", [4, 72, COUNT])
def test_a_neighbours_picture_is_far_from_a_rows_own(tmp_path: Path, count: int) -> None:
    """It has the same shape, another photograph and another edit, and a mean that differs by far more than 4 of 255."""
    write_rows(tmp_path, 0)
    for number in range(count):
        assert 0 <= neighbour(number, count) < count
        ours, theirs = asked(tmp_path, number), asked(tmp_path, neighbour(number, count))
        assert ours.photo != theirs.photo
        assert ours.edit != theirs.edit
        if number < COMBINATIONS or number + len(SHAPES) >= count:  # the others are like those
            shape = SHAPES[number % len(SHAPES)]
            difference = (target(ours, shape) - target(theirs, shape)).abs().mean((1, 2))  # fails if shapes differ
            assert difference.max() * 255 > 16
