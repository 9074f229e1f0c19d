"""A part of an object of S3, of the very object that was asked about before: parts of two would be no picture."""

from typing import Any, Final

from worker.contract.urls import split
from worker.storage.filesystems import filesystem

#: Seconds after which a request is given up.
_LONGEST: Final = 120.0


def part(url: str, start: int, end: int, etag: str) -> bytes:
    """Ask once for the bytes from `start` to before `end`; where there is an `etag`, of an object that has it.

    Raises what s3fs raises.
    """
    opened = filesystem("s3")
    from fsspec.asyn import sync  # noqa: PLC0415 - of the extra `storage`, which is there once this is opened

    bucket, key = split(url)
    options = {"Bucket": bucket, "Key": key, "Range": f"bytes={start}-{end - 1}"}
    if etag:
        options["IfMatch"] = etag
    data: bytes = sync(opened.loop, _got, opened, options, timeout=_LONGEST)
    return data


async def _got(opened: Any, options: dict[str, str]) -> bytes:
    answer = await opened._call_s3("get_object", **options)  # noqa: SLF001 - as fsspec calls what is asynchronous
    try:
        data: bytes = await answer["Body"].read()
        return data
    finally:
        answer["Body"].close()
