"""What a row's rides come to in its outcome."""

import pytest

from producer.run.answers import tallied
from tests.support.requests import make_request
from worker.batching.batch_runner import Batched
from worker.contract.messages import Outcome
from worker.editing.record import RowRecord


def outcome_of(*rides: tuple[int, float], **given: object) -> Outcome:
    """Return the outcome of a row that rode in micro-batches of so many rows and seconds."""
    record = RowRecord(make_request(num_images=1, **given), worker="w")
    for size, took in rides:
        batched = Batched(result=(), batch_id="b", size=size, limit=4, waited=0.5, took=took)
        record.rode(batched, profile="exact", weights="w")
    return record.done()


def test_a_row_of_several_turns_has_the_seconds_of_all() -> None:
    """Its share of the model's is that of each turn, whatever the rows beside it; the run's count has it."""
    outcome = outcome_of((4, 8.0), (1, 3.0), earlier_prompts=("w",))
    assert (outcome.seconds, outcome.batch_size) == ({"wait": 1.0, "model": 11.0}, 1)
    assert outcome.share == pytest.approx(8 / 4 + 3)
    assert tallied([outcome])["gpu_milliseconds"] == 5000
    assert tallied([outcome])["images"] == 2


def test_a_row_of_one_turn_has_its_share_of_one() -> None:
    """Of the micro-batch in which it rode; of none it has none."""
    assert outcome_of((4, 8.0)).share == 2
    assert outcome_of().share == 0
