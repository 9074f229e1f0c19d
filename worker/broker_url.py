"""What a broker's URL must look like, told before anything is connected."""

import re
from urllib.parse import urlsplit

_SCHEMES = ("redis://", "rediss://", "redis+socket://")


def redis_url(url: str) -> str:
    """Return the URL.

    Raises:
        ValueError: it names no Redis; the URL itself is kept out of the message, since it may hold a password.

    """
    if not url.startswith(_SCHEMES):
        raise ValueError(f"must begin with one of {', '.join(_SCHEMES)}")
    if not _is_whole(url):
        raise ValueError("is no valid URL; write special characters of a password as %XX")
    return url


def _is_whole(url: str) -> bool:
    """Tell whether a URL says what it seems to: an unescaped "/" or "@" of a password would end up in other parts."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError where it is no number
    except ValueError:
        return False
    if parts.scheme == "redis+socket":
        return bool(parts.path)
    return bool(parts.hostname) and re.fullmatch(r"(/\d*)?", parts.path) is not None and "@" not in parts.query
