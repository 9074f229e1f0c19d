"""A prefix of S3: what lies below it, and an object that only the first who comes may write."""

from typing import Any, Final

from worker.contract.urls import split
from worker.storage.filesystems import filesystem
from worker.storage.trying import trying

#: Seconds after which a request is given up.
_LONGEST: Final = 120.0

#: How S3 says that there is such an object: 409 is of one that is just being written.
_TAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


def names_below(url: str) -> list[str]:
    """Return the names of the first thousand objects directly below a prefix, without it.

    Raises:
        RowError: the store refuses; as everywhere here, a reason that does not name the URL.
        TransientError: it fails in a way that may pass.

    """
    bucket, key = split(url)
    prefix = f"{key}/"
    found = trying(lambda: _s3("list_objects_v2", Bucket=bucket, Prefix=prefix, Delimiter="/"))
    return [entry["Key"].removeprefix(prefix) for entry in found.get("Contents", ())]


def create(url: str, data: bytes, *, content_type: str) -> bool:
    """Write an object where there is none; return False where there is one, which stays.

    Raises:
        RowError: the store refuses.
        TransientError: it fails in a way that may pass.

    """
    bucket, key = split(url)

    def once() -> bool:
        try:
            _s3("put_object", Bucket=bucket, Key=key, Body=data, ContentType=content_type, IfNoneMatch="*")
        except OSError as error:
            if _is_taken(error):
                return False
            raise
        return True

    return trying(once)


def _is_taken(error: OSError) -> bool:
    response: Any = getattr(error.__cause__, "response", None) or {}
    return isinstance(error, FileExistsError) or response.get("Error", {}).get("Code") in _TAKEN


def _s3(method: str, **options: Any) -> Any:
    return filesystem("s3").call_s3(method, timeout=_LONGEST, **options)
