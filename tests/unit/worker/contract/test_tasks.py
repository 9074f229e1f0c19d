"""Two tasks, an edit and a picture from an instruction alone: neither is ever taken for the other."""

import json

import pytest

from tests.support.requests import make_request, shared_of
from worker.batching.jobs import BatchKey
from worker.contract.buckets import Bucket, Fit, plan_made
from worker.contract.errors import ContractError, RowError
from worker.contract.lanes import older_queues
from worker.contract.messages import EditRequest, all_queue_names, queue_name, queue_names
from worker.contract.parameters import TASKS, Task
from worker.contract.sharing import OwnPart, SharedPart, Splitter

SQUARE = Bucket(1024, 1024)


def made(**given: object) -> EditRequest:
    """Make a request of text2image."""
    return make_request(**{"task": "text2image", "images": (), "size": "1024x1024", **given})


def test_a_request_without_an_image_survives_the_network() -> None:
    """Whole, and in two parts."""
    request = made()
    assert EditRequest.decode(request.encode()) == request
    shared = shared_of(made(), base="/data")
    own = OwnPart.read(json.loads(json.dumps(Splitter(shared).own(request))))
    assert own.joined(SharedPart.decode(shared.encode())) == request


@pytest.mark.parametrize(("task", "images"), [("imageedit", []), ("text2image", ["/a.png"])])
def test_images_and_task_must_agree(task: str, images: list[str]) -> None:
    """An edit of nothing is no row, nor is a picture from nothing that names an image."""
    wrong = {**json.loads(made().encode()), "task": task, "images": images}
    with pytest.raises(ContractError, match=rf"^EditRequest does not decode: images: {task} with {len(images)}\.$"):
        EditRequest.decode(json.dumps(wrong))


def test_an_edit_never_becomes_a_picture_from_nothing_on_its_way() -> None:
    """A row's own part that has lost its images does not join with what a run of edits shares."""
    shared = shared_of(make_request(), base="/data")
    own = OwnPart.read({**Splitter(shared).own(make_request()), "images": []})
    with pytest.raises(ContractError, match="images: imageedit with 0"):
        own.joined(shared)


@pytest.mark.parametrize("profile", [None, "exact"])
def test_tasks_have_lanes_of_their_own(profile: str | None) -> None:
    """A worker of one never looks where rows of the other wait; edits are called as they were."""
    assert queue_name("demo", profile) == queue_name("demo", profile, task="imageedit")
    assert queue_name("demo", profile, task="text2image") not in queue_names("demo")
    assert set(queue_names("demo")).isdisjoint(queue_names("demo", "text2image"))
    assert set(all_queue_names("demo")) == {*queue_names("demo"), *queue_names("demo", "text2image")}


def test_no_earlier_version_looks_there() -> None:
    """It would find a message that it does not understand; nor does this one look where theirs are."""
    assert not set(older_queues("demo")) & set(all_queue_names("demo"))
    assert all(lane.startswith("fleet.v8.") for lane in all_queue_names("demo"))


@pytest.mark.parametrize(
    ("bucket", "task", "tokens"),
    [
        (SQUARE, "imageedit", 8704),  # 2 x 64 x 64 + 512
        (SQUARE, "text2image", 4608),  # 64 x 64 + 512
        (Bucket(256, 256), "text2image", 768),  # 16 x 16 + 512
    ],
)
def test_a_picture_from_nothing_is_fewer_tokens(bucket: Bucket, task: Task, tokens: int) -> None:
    """Those of the picture that is edited are not there."""
    key = BatchKey(bucket=bucket, steps=1, guidance=1.0, true_cfg_scale=1.0, num_images=1, task=task)
    assert bucket.tokens_for(task) == key.tokens == tokens


def test_a_picture_from_nothing_comes_as_the_model_makes_it() -> None:
    """Nothing is fitted, and nothing restored."""
    assert plan_made("768x1024") == Fit(
        bucket=Bucket(768, 1024), inner=(768, 1024), kept=(768, 1024), output=(768, 1024)
    )


@pytest.mark.parametrize("size", ["auto", "input", "bucket"])
def test_a_size_that_follows_from_a_picture_is_refused(size: str) -> None:
    """Whoever can write to Redis can ask for one."""
    with pytest.raises(RowError, match=f"^size {size} follows from a picture, and this row has none; name one such as"):
        plan_made(size)


def test_tasks_are_dataflows() -> None:
    """Under the names that its users know."""
    assert TASKS == ("imageedit", "text2image")
