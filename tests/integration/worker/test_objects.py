"""Objects of a real store, SeaweedFS, behind a connection that fails as the tests say."""

import logging

import pytest

from tests.support.bad_connection import Fault
from tests.support.object_store import BUCKET, KEY, SECRET, ObjectStore
from worker.contract.errors import TransientError
from worker.storage import objects
from worker.storage.meaning import Absent, NoBucket

DATA = bytes(range(256)) * 1000

#: More often than anybody tries.
ALWAYS = 20


def url(key: str) -> str:
    """Name an object in the tests' bucket."""
    return f"s3://{BUCKET}/objects/{key}"


def put(key: str) -> None:
    """Write an object as a worker does."""
    objects.put(url(key), DATA, content_type="image/png")


@pytest.mark.parametrize("key", ["a.png", "two words, ü+%41?.png", "with//an/empty part.png"])
def test_an_object_is_what_was_put(store: ObjectStore, key: str) -> None:
    """Whatever its key, its bytes, their number and what was said of it come back; one request each."""
    objects.put(url(key), DATA, content_type="image/png", metadata={"fingerprint": "ab12"})
    head = objects.head(url(key))
    assert head is not None
    assert (head.size, head.metadata) == (len(DATA), {"fingerprint": "ab12"})
    assert objects.read(url(key), start=0, end=len(DATA)) == DATA
    assert [asked.partition(" ")[0] for asked in store.connection.seen] == ["PUT", "HEAD", "GET"]


def test_a_part_is_read_alone(store: ObjectStore) -> None:
    """A part of an object travels without the rest."""
    put("part.png")
    store.connection.calm()
    assert objects.read(url("part.png"), start=1000, end=1010) == DATA[1000:1010]
    assert store.connection.sent == 10


def test_what_is_not_there(store: ObjectStore) -> None:
    """An object that is not there has no head, is absent when it is read, and is none the less once it is deleted."""
    assert objects.head(url("absent.png")) is None
    objects.delete(url("absent.png"))
    for absent, reason in ((url("absent.png"), "no such object"), ("s3://no-such-bucket/a.png", "no such bucket")):
        with pytest.raises(Absent, match=reason):
            objects.read(absent, start=0, end=1)
    with pytest.raises(NoBucket):
        objects.delete("s3://no-such-bucket/a.png")
    assert store.connection.asked("GET") == 2  # what is not there is not asked for again


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.CUT_ANSWER, Fault.STALL])
def test_reading_is_tried_again(store: ObjectStore, fault: Fault) -> None:
    """A 503, an answer that breaks off and one that stands still are each borne."""
    put(f"{fault.name}.png")
    store.connection.plan("GET", fault)
    assert objects.read(url(f"{fault.name}.png"), start=0, end=len(DATA)) == DATA
    assert store.connection.all_done()


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.CUT_BODY, Fault.CUT_BEFORE_ANSWER, Fault.CORRUPT])
def test_writing_is_tried_again(store: ObjectStore, fault: Fault) -> None:
    """A 503, a connection that is cut in the middle or before the answer, and a bit that turns are made good."""
    store.connection.plan("PUT", fault)
    put(f"written-{fault.name}.png")
    assert store.get(f"objects/written-{fault.name}.png") == DATA
    assert store.connection.all_done()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.BUSY, r"its store has trouble for the moment \(503 SlowDown\)"),
        (Fault.CUT_BODY, "its store cannot be reached, or was cut off"),
        (Fault.CORRUPT, r"its store has trouble for the moment \(400 BadDigest\)"),
    ],
)
def test_a_put_that_fails_leaves_what_was_there(store: ObjectStore, fault: Fault, reason: str) -> None:
    """An object is the old one or the whole new one, whatever becomes of the connection; what lasts may pass later."""
    key = f"objects/kept-{fault.name}.png"
    store.put(key, b"old")
    store.connection.plan("PUT", *[fault] * ALWAYS)
    with pytest.raises(TransientError, match=reason):
        objects.put(f"s3://{BUCKET}/{key}", DATA, content_type="image/png")
    assert store.get(key) == b"old"


def test_no_key_is_said(store: ObjectStore, caplog: pytest.LogCaptureFixture) -> None:
    """With every logger as talkative as can be, neither a key nor a signature is in the log or in an error."""
    caplog.set_level(logging.DEBUG)
    put("quiet.png")
    store.connection.plan("GET", *[Fault.CUT_ANSWER] * ALWAYS)
    with pytest.raises(TransientError) as failed:
        objects.read(url("quiet.png"), start=0, end=len(DATA))
    said = f"{failed.value} {caplog.text}"
    assert not any(secret in said for secret in (KEY, SECRET, "Signature", "Credential="))
