"""A picture in a store is read as one on a disk is, and no more of it travels than reading takes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.bad_connection import Fault
from tests.support.files import encoded, photo
from tests.support.object_store import BUCKET, ObjectStore
from worker.contract.errors import RowError, TransientError
from worker.pictures.confine import Limits
from worker.pictures.decoding import read, size_of
from worker.pictures.sources import source_of

LIMITS = Limits(max_pixels=10_000_000)


@pytest.fixture(scope="module")
def large() -> bytes:
    """Make a picture of more than what is read at once: noise, which does not pack."""
    noise = np.random.default_rng(0).integers(0, 256, (1300, 1300, 3), np.uint8)
    return encoded(Image.fromarray(noise))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_small_picture_is_asked_for_once(store: ObjectStore, kind: str) -> None:
    """Its size and its pixels take one question for its length and one for its bytes."""
    data = encoded(photo(400, 300), kind)
    image = source_of(store.put(f"small.{kind}", data), LIMITS)
    store.connection.calm()
    assert size_of(image) == (400, 300)
    assert read(image).image == photo(400, 300)
    assert [one.partition(" ")[0] for one in store.connection.seen] == ["HEAD", "GET"]


def test_the_header_of_a_large_picture_travels_alone(store: ObjectStore, large: bytes) -> None:
    """Its size takes a part of it; all of its bytes come once its pixels are wanted."""
    image = source_of(store.put("large.png", large), LIMITS)
    store.connection.calm()
    assert size_of(image) == (1300, 1300)
    assert store.connection.sent < len(large) / 10
    assert read(image).image.size == (1300, 1300)


def test_a_tiff_whose_directory_is_at_its_end(store: ObjectStore) -> None:
    """Parts are read wherever a decoder wants them, and beyond the end there is nothing."""
    noise = np.random.default_rng(0).integers(0, 256, (1300, 1300, 3), np.uint8)
    image = source_of(store.put("large.tif", encoded(Image.fromarray(noise), "TIFF", compression="tiff_lzw")), LIMITS)
    assert size_of(image) == (1300, 1300)
    assert np.array_equal(read(image).image, noise)


@pytest.mark.parametrize("kind", ["large", "small"])
def test_what_is_overwritten_is_not_mixed(store: ObjectStore, large: bytes, kind: str) -> None:
    """Of one that changes between its header and its pixels nothing is made; whoever begins anew reads the new."""
    before = large if kind == "large" else encoded(photo(40, 30))
    url = store.put(f"{kind}-changes.png", before)
    image = source_of(url, LIMITS)
    image.stat()
    if kind == "large":
        assert size_of(image) == (1300, 1300)
    store.put(f"{kind}-changes.png", bytes(reversed(before)))
    store.connection.calm()
    with pytest.raises(TransientError, match=rf"/{kind}-changes\.png: was overwritten while it was read\.$"):
        read(image)
    assert store.connection.asked("GET") == 1
    store.put(f"{kind}-changes.png", before)
    assert read(source_of(url, LIMITS)).image.size == ((1300, 1300) if kind == "large" else (40, 30))


@pytest.mark.parametrize(
    ("key", "data", "reason"),
    [
        ("absent.png", None, "no such object"),
        ("empty.png", b"", r"is empty \(0 bytes\)"),
        ("text.png", b"words, words", "is text, not an image"),
    ],
)
def test_what_is_no_picture(store: ObjectStore, key: str, data: bytes | None, reason: str) -> None:
    """What is wrong with an object is said in the words that a file's error has, with its URL."""
    url = f"s3://{BUCKET}/{key}" if data is None else store.put(key, data)
    with pytest.raises(RowError, match=rf"^image s3://{BUCKET}/{key}: {reason}"):
        size_of(source_of(url, LIMITS))


def test_a_store_that_stays_busy_may_pass(store: ObjectStore) -> None:
    """The row is tried again later; its error is no other kind for it."""
    image = source_of(store.put("busy.png", encoded(photo(40, 30))), LIMITS)
    store.connection.plan("GET", *[Fault.BUSY] * 20)
    with pytest.raises(TransientError, match=r"^image s3://.*/busy\.png: its store has trouble for the moment \(503"):
        read(image)


@pytest.mark.parametrize(
    ("image", "root"),
    [
        ("s3://bucket/in/../secret.png", "s3://bucket/in"),
        ("s3://bucket/in-of-others/a.png", "s3://bucket/in"),
        ("/etc/hostname", "s3://bucket/in"),
        ("s3://bucket/in/a.png", Path("/data")),
    ],
)
def test_what_leads_out_of_the_root_is_refused(image: str, root: Path | str) -> None:
    """A root in a store holds no path and nothing beside it; a folder holds no URL."""
    with pytest.raises(RowError, match=r"leads out of FLEET_INPUT_ROOT\.$"):
        source_of(image, Limits(max_pixels=1, input_root=root))
