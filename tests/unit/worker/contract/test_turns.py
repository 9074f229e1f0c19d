"""A row's turns: instructions in their order, and seeds that follow from the row's own."""

import pytest
from pydantic import ValidationError

from tests.support.requests import make_request
from worker.contract.errors import RowError
from worker.contract.reading import Reading, reading_of
from worker.contract.seeds import image_seed, turn_seed
from worker.contract.turns import Turn, turns_of


def test_a_row_of_one_turn_has_the_rows_own_seeds() -> None:
    """It is made as it always was."""
    assert turns_of(make_request(seed=7)) == (Turn(1, "x", (7, image_seed(7, 1))),)


def test_each_turn_has_seeds_of_its_own() -> None:
    """The first the row's, the others 53 bits of a digest that anybody can take: pictures follow from them."""
    assert turn_seed(7, 2) == int("f5ac041ea8d280b5", 16) >> 11  # printf 7:turn:2 | sha256sum
    first, second, third = turns_of(make_request(seed=7, prompt="z", earlier_prompts=("x", "y")))
    assert [turn.prompt for turn in (first, second, third)] == ["x", "y", "z"]
    assert first.seeds == (7, image_seed(7, 1))
    assert second.seeds == (turn_seed(7, 2), image_seed(turn_seed(7, 2), 1))
    assert len({*first.seeds, *second.seeds, *third.seeds}) == 6


@pytest.mark.parametrize(
    "wrong", [{"num_images": 33}, {"task": "text2image", "images": ()}, {"earlier_prompts": ("",)}]
)
def test_what_makes_no_turns_is_refused(wrong: dict[str, object]) -> None:
    """More pictures than a row may have, a picture from nothing, an instruction that says nothing."""
    with pytest.raises(ValidationError):
        make_request(**{"earlier_prompts": ("w",), **wrong})


def test_every_turns_instruction_is_measured() -> None:
    """What is told is the longest one's; where one is cut, so is the row, and the error names its turn."""
    rows = [
        make_request(prompt="short", earlier_prompts=("a" * length,), long_instruction="error") for length in (9, 99)
    ]
    assert reading_of(rows[0], lambda text: Reading.of(len(text), 10)) == (Reading(9, 9), False)
    with pytest.raises(RowError, match=r"^the instruction of user turn 1 has 99 tokens, of which the model reads 10; "):
        reading_of(rows[1], lambda text: Reading.of(len(text), 10))
    warned = rows[1].model_copy(update={"long_instruction": "warn"})
    assert reading_of(warned, lambda text: Reading.of(len(text), 10)) == (Reading(99, 10), True)
