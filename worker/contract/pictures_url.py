"""Where a run's pictures may go beside its folder: a prefix at an object store."""

import re
from typing import Final

#: Stores that pictures are written to.
SCHEMES: Final = ("s3",)

#: Bucket and prefix: no empty part, and none that a path would resolve.
_URL: Final = re.compile(rf"({'|'.join(SCHEMES)})://[a-z0-9][a-z0-9.-]*(/(?!\.{{1,2}}(/|$))[^/\0-\x1f\x7f?#@]+)*")


def pictures_url(url: str) -> str:
    """Return the URL of a place for pictures, without a slash at its end.

    Raises:
        ValueError: it is none; the URL itself is kept out of the message, since it may hold a secret.

    """
    url = url.strip().rstrip("/")
    if _URL.fullmatch(url) is None:
        raise ValueError(
            f"must be {SCHEMES[0]}://BUCKET/PREFIX, without a user, a ?query, a #fragment, // or .. in it; on a disk"
            " pictures lie in the run folder, --run-dir"
        )
    return url
