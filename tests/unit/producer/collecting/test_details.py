"""How a row was made, for its output."""

from producer.collecting.details import are_details, details_of
from worker.contract.messages import Outcome

OUTCOME = Outcome(
    run="0" * 16, row=1, fingerprint="a" * 32, status="done", worker="gpu0@a", seed=7, profile="exact", weights="w",
    lora={"o/a:1": "c"}, bucket=(64, 48), batch_id="b", batch_size=3, batch_limit=4, seconds={"model": 1.5},
)  # fmt: skip


def shown(path: str) -> str:
    """Write a path as an output does."""
    return f"./run/{path}"


def test_all_that_is_known_is_told() -> None:
    """And it is known again as ours."""
    found = details_of(OUTCOME.model_dump(mode="json"), shown)
    assert found == {
        "seed": 7, "profile": "exact", "weights": "w", "lora": {"o/a:1": "c"}, "size": [64, 48],
        "seconds": {"model": 1.5}, "worker": "gpu0@a", "batch": {"id": "b", "rows": 3, "of": 4},
    }  # fmt: skip
    assert are_details(found)


def test_the_pictures_of_earlier_turns_are_told() -> None:
    """Turn by turn, each path written as those of the last turn."""
    made = OUTCOME.model_copy(update={"paths": ("e", "f"), "earlier_paths": ("a", "b", "c", "d")})
    found = details_of(made.model_dump(mode="json"), shown)
    assert found["turns"] == [["./run/a", "./run/b"], ["./run/c", "./run/d"]]
    assert are_details(found)


def test_of_a_row_that_no_worker_had_nothing_is_known() -> None:
    """Its error stands beside it."""
    assert details_of({"error": "Bad."}, shown) == {}
    assert not are_details("mine")
    assert not are_details({"seed": 7})
