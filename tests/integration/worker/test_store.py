"""Pictures at a real object store: whole or absent, known again without being read, and nobody else's."""

import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.support.bad_connection import Fault
from tests.support.object_store import BUCKET, ObjectStore
from tests.support.requests import make_request
from worker.contract.errors import RowError, TransientError, Unwanted
from worker.contract.messages import EditRequest
from worker.pictures.encoding import fingerprint_of
from worker.pictures.files import drop_temporaries, finished, sample_paths, save, turn_paths
from worker.pictures.places.choosing import confined_place, place_of
from worker.storage.prefixes import create


@pytest.fixture
def request_(store: ObjectStore, tmp_path: Path) -> EditRequest:
    """Return a request for two images, at a prefix of this test's own."""
    del store
    return make_request(output_dir=f"s3://{BUCKET}/{tmp_path.name}/März 1")


def keys(store: ObjectStore, request: EditRequest) -> list[str]:
    """Return what lies below the request's prefix."""
    prefix = request.output_dir.removeprefix(f"s3://{BUCKET}/") + "/"
    return [key.removeprefix(prefix) for key in store.keys(prefix)]


def data_of(store: ObjectStore, request: EditRequest, path: str) -> bytes:
    """Return the bytes of a picture."""
    return store.get(f"{request.output_dir}/{path}".removeprefix(f"s3://{BUCKET}/"))


def save_all(request: EditRequest, confirm: Callable[[], None] = lambda: None) -> tuple[str, ...]:
    """Save the images of a row's turns."""
    noise = Image.effect_noise((40, 30), 50).convert("RGB")
    images = [noise] * request.num_images * len(request.prompts)
    return save(request, images, profile="exact", confirm=confirm)


def test_a_row_is_put_and_known_again(store: ObjectStore, request_: EditRequest) -> None:
    """There are its images and nothing else; they are known by what is kept beside them, and none of them is read."""
    assert not finished(request_)
    paths = save_all(request_)
    drop_temporaries(request_)
    assert keys(store, request_) == [*paths] == [*sample_paths(request_)]
    store.connection.calm()
    assert finished(request_)
    assert not finished(request_.model_copy(update={"fingerprint": "b" * 32}))
    assert not store.connection.asked("GET")
    with Image.open(BytesIO(data_of(store, request_, paths[1]))) as picture:
        picture.load()
        assert fingerprint_of(picture) == request_.fingerprint


def test_an_older_forms_images_are_dropped(store: ObjectStore, request_: EditRequest) -> None:
    """A row of fewer turns or images, or in another format, leaves none of the older ones, and no other object goes."""
    in_turns = request_.model_copy(update={"earlier_prompts": ("Make it blue.",)})
    save_all(in_turns)
    assert finished(in_turns)
    assert len(keys(store, request_)) == 4
    other = save_all(request_.model_copy(update={"row": 70}))
    prefix = request_.output_dir.removeprefix(f"s3://{BUCKET}/")
    store.put(f"{prefix}/sample_7/notes.png", b"the user's own")
    save_all(request_.model_copy(update={"num_images": 1, "image_format": "webp"}))
    assert keys(store, request_) == sorted(["sample_7/notes.png", "sample_7/sample_7_0.webp", *other])


def test_a_row_of_turns_is_known_by_the_pictures_of_all(store: ObjectStore, request_: EditRequest) -> None:
    """One of an earlier turn that is gone has it made again."""
    turns = request_.model_copy(update={"earlier_prompts": ("v", "w")})
    saved = save_all(turns)
    assert keys(store, turns) == sorted([*turn_paths(turns), *sample_paths(turns)]) == sorted(saved)
    assert finished(turns)
    place_of(turns.output_dir).drop(turn_paths(turns)[1:2])
    assert not finished(turns)


def test_a_newer_form_is_left_alone(store: ObjectStore, request_: EditRequest) -> None:
    """Where the last look says that the row has a newer form, nothing of that is overwritten or dropped."""

    def refuse() -> None:
        raise Unwanted("a newer form of it was submitted.")

    save_all(request_)
    with pytest.raises(Unwanted):
        save_all(request_.model_copy(update={"fingerprint": "b" * 32, "image_format": "jpg"}), refuse)
    assert finished(request_)
    assert keys(store, request_) == [*sample_paths(request_)]


@pytest.mark.parametrize(
    "faults",
    [
        [Fault.BUSY, Fault.BUSY],
        [Fault.CUT_BODY],
        [Fault.CUT_BEFORE_ANSWER],
        [Fault.CORRUPT],
        [Fault.HOLD_BODY],
    ],
    ids=lambda faults: faults[0].name,
)
def test_a_put_that_goes_wrong_is_made_again(store: ObjectStore, request_: EditRequest, faults: list[Fault]) -> None:
    """503s, a connection that ends or stands still within a PUT, or before its answer, another byte: all pass."""
    store.connection.plan("PUT", *faults)
    paths = save_all(request_)
    assert store.connection.asked("PUT") == len(paths) + len(faults)
    assert keys(store, request_) == [*paths]
    assert finished(request_)
    for path in paths:
        Image.open(BytesIO(data_of(store, request_, path))).load()


def test_a_put_that_never_succeeds_leaves_nothing(store: ObjectStore, request_: EditRequest) -> None:
    """Half of a picture is never there; the error names it, and says that it may pass."""
    store.connection.plan("PUT", *[Fault.CUT_BODY] * 10)
    with pytest.raises(TransientError, match=rf"^picture {request_.output_dir}/sample_7/sample_7_0.png: its store "):
        save_all(request_)
    store.connection.calm()
    assert keys(store, request_) == []
    assert not finished(request_)


def test_what_is_wrong_is_said_without_reading(store: ObjectStore, request_: EditRequest) -> None:
    """What is gone, empty, or somebody else's is told by one HEAD each."""
    first, second = save_all(request_)
    place = place_of(request_.output_dir)
    prefix = request_.output_dir.removeprefix(f"s3://{BUCKET}/")

    def flaws(*, fast: bool) -> list[str | None]:
        return [place.flaw(path, request_.fingerprint, fast=fast) for path in (first, second)]

    assert flaws(fast=False) == [None, None]
    store.put(f"{prefix}/{first}", b"somebody else's")
    place.drop([second, second])
    assert flaws(fast=False) == ["is another row's, or somebody's", "is gone"]
    assert flaws(fast=True) == [None, "is gone"]
    store.put(f"{prefix}/{first}", b"")
    assert flaws(fast=True) == ["is empty", "is gone"]


@pytest.mark.parametrize(
    ("place", "root", "inside"),
    [
        ("s3://b/out/a", "s3://b/out", True),
        ("s3://b/out", "s3://b/out", True),
        ("s3://b/out", None, True),
        ("s3://b/output", "s3://b/out", False),
        ("s3://b/out/../x", "s3://b/out", False),
        ("s3://c/out/a", "s3://b/out", False),
        ("s3://b/out/a", Path("/data"), False),
        ("/data/a", "s3://b/out", False),
    ],
)
def test_the_root_confines_urls(place: str, root: Path | str | None, *, inside: bool) -> None:
    """A worker writes below FLEET_OUTPUT_ROOT alone, whoever wrote the message."""
    if inside:
        assert confined_place(place, root) == place
    else:
        with pytest.raises(RowError, match=rf"^{place}: "):
            confined_place(place, root)


def test_the_first_who_comes_has_it(store: ObjectStore, tmp_path: Path) -> None:
    """Of many that write an object that may be written once, one does, and its bytes are what is there."""
    url = store.put(f"{tmp_path.name}/other", b"x").removesuffix("other") + "once"
    won: list[int] = []

    def claim(number: int) -> None:
        if create(url, str(number).encode(), content_type="text/plain"):
            won.append(number)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (number,) = won
    assert store.get(f"{tmp_path.name}/once") == str(number).encode()
