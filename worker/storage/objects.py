"""An object of a store: whether it is there, its bytes in bounds, and writing it whole or not at all."""

import base64
import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from worker.contract.errors import RowError, TransientError
from worker.contract.urls import scheme_of, split
from worker.storage.filesystems import filesystem
from worker.storage.meaning import Absent, Changed, NoBucket
from worker.storage.parts import part
from worker.storage.trying import trying

#: Seconds after which a request is given up, whatever trickles in: a server that sends a byte now and then never ends.
_LONGEST: Final = 120.0

_NO_METADATA: Final[Mapping[str, str]] = MappingProxyType({})


class Head(NamedTuple):
    """What is known of an object without its bytes."""

    #: Bytes.
    size: int
    #: What tells its content from another's, as far as its store says; not always a digest.
    etag: str
    #: What whoever wrote it has said of it; of S3 alone.
    metadata: Mapping[str, str] = _NO_METADATA


def head(url: str) -> Head | None:
    """Ask for an object's size and metadata; return None where there is no such object.

    `url` is in its one form (`worker.contract.urls.normalised`), here and below.

    Raises:
        NoBucket: nor is there its bucket, where the store says so.
        RowError: the store refuses; as everywhere here, a reason that does not name the URL.
        TransientError: it fails in a way that may pass, and did so several times.

    """
    try:
        return trying(lambda: _head(url))
    except NoBucket:
        raise
    except Absent:
        return None


def read(url: str, *, start: int, end: int, etag: str = "") -> bytes:
    """Read the bytes of an object from `start` to before `end`, both within its size.

    `etag`: what it was when its size was asked for; of S3 nothing is read of any that has taken its place.

    Raises:
        Absent: there is no such object.
        RowError: the store refuses.
        TransientError: it fails in a way that may pass, also where fewer bytes come than it has promised, or where it
            is another than it was.

    """
    if end <= start:
        return b""

    def once() -> bytes:
        data: bytes = (
            part(url, start, end, etag)
            if scheme_of(url) == "s3"
            else _call(url, "cat_file", _path(url), start=start, end=end)
        )
        if len(data) != end - start:
            raise TransientError(f"its store has sent {len(data)} of {end - start} bytes")
        return data

    try:
        return trying(once)
    except Changed as error:  # asked again, it would be so again
        raise TransientError(str(error)) from None


def whole(url: str) -> bytes | None:
    """Read an object; return None where there is no such object.

    Raises:
        RowError: the store refuses.
        TransientError: it fails in a way that may pass.

    """
    try:
        return None if (found := head(url)) is None else read(url, start=0, end=found.size, etag=found.etag)
    except Absent:
        return None


def put(url: str, data: bytes, *, content_type: str, metadata: Mapping[str, str] = _NO_METADATA) -> None:
    """Write an object by one PUT: whole or not at all, in place of what was there; its digest is checked by the store.

    `metadata`, ASCII, is kept beside it by S3 alone. The same again changes nothing: a PUT that was cut is sent again.

    Raises:
        RowError: the store refuses.
        TransientError: it fails in a way that may pass.

    """
    scheme = scheme_of(url)
    if scheme == "hf":  # each file would be a commit
        raise RowError("cannot be written to by workers; name s3://, gs:// or az://")
    if scheme != "s3":
        trying(lambda: _pipe(url, data))
        return
    bucket, key = split(url)
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    options = {"Body": data, "ContentType": content_type, "Metadata": dict(metadata), "ChecksumSHA256": digest}
    trying(lambda: _call(url, "call_s3", "put_object", Bucket=bucket, Key=key, **options))


def delete(url: str) -> None:
    """Delete an object; one that is not there is none the less.

    Raises:
        NoBucket: nor is there its bucket, where the store says so.
        RowError: the store refuses.
        TransientError: it fails in a way that may pass.

    """
    try:
        trying(lambda: _call(url, "rm_file", _path(url)))
    except NoBucket:
        raise
    except Absent:
        return


def _head(url: str) -> Head:
    if scheme_of(url) == "s3":
        bucket, key = split(url)
        found = _call(url, "call_s3", "head_object", Bucket=bucket, Key=key)
        return Head(found["ContentLength"], found.get("ETag", ""), found.get("Metadata", {}))
    found = _call(url, "info", _path(url))
    if found["type"] != "file":
        raise Absent("is a folder, not an object")
    return Head(found["size"], str(found.get("etag") or found.get("ETag") or ""))


def _pipe(url: str, data: bytes) -> None:
    _call(url, "pipe_file", _path(url), data)
    if (size := _head(url).size) != len(data):
        raise TransientError(f"its store has kept {size} of {len(data)} bytes")


def _path(url: str) -> str:
    return url.partition("://")[2]


def _call(url: str, method: str, *args: Any, **options: Any) -> Any:
    opened = filesystem(str(scheme_of(url)))
    bound = {"timeout": _LONGEST} if opened.async_impl else {}
    return getattr(opened, method)(*args, **options, **bound)
