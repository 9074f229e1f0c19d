"""URLs of object stores and of web servers: told apart, brought to one form, and shown without what may be secret."""

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import unquote, urlsplit

from worker.contract.errors import RowError

#: Schemes of stores, and the package that fsspec reads each with.
STORES: Final = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs", "hf": "huggingface_hub"}

#: How an image begins that is an object of a store, or a file of a web server.
REMOTE: Final = (*(f"{scheme}://" for scheme in STORES), "https://")

#: The port of https:// where none is named.
HTTPS_PORT: Final = 443

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")

#: What stands before the first "/": a bucket; at https:// a host or an address, and a port. All else there may be a
#: secret, also one with a "/" in it, so that its end is somewhere behind.
_BUCKET: Final = re.compile(r"[^:@?#]+")
_HOST: Final = re.compile(r"(\[[^@?#\[\]]*\]|[^:@?#\[\]]+)(:[0-9]*)?")


def scheme_of(text: str) -> str | None:
    """Return the scheme of a URL, in small letters; None of a path."""
    found = _SCHEME.match(text)
    return found and found[1].lower()


def is_stored(text: str) -> bool:
    """Tell whether a text names an object of a store that is known here."""
    return scheme_of(text) in STORES


def is_remote(text: str) -> bool:
    """Tell whether a text in its one form names an object of a store, or a file of a web server."""
    return text.startswith(REMOTE)


def shown(url: str) -> str:
    """Show a URL, or what was given for a host, without user, password and query, each of which may be a secret."""
    begin, mark, rest = url.partition("://") if "://" in url else ("", "", url)
    plain = rest.partition("?")[0]
    place = rest.lstrip("/").partition("/")[0]
    if place and not _is_place(begin, place):
        if "@" in plain:
            plain = plain.rpartition("@")[2]
        elif "@" in rest or begin.lower() in STORES:
            plain = "…"
    return f"{begin}{mark}{plain}"


def normalised(url: str, *, folder: bool = False) -> str:
    """Bring a URL to its one form: its scheme in small letters, and "." and ".." of its path followed.

    A `folder` may be a bucket alone; it comes back without a slash at its end.

    Raises:
        ValueError: it names nothing, or leads out of its bucket or host; the sentence does not quote it.

    """
    scheme, rest = scheme_of(url), url.partition("://")[2]
    place, _, path = rest.partition("/")
    if place and not _is_place(str(scheme), place):
        if "@" in rest or scheme in STORES:
            raise ValueError("has a user or a password in it; credentials are the worker's own")
        raise ValueError("is no URL")
    if not place or not (folder or path.strip("/")):
        raise ValueError(f"names no object; write {scheme}://its-bucket/its/key")
    if scheme not in STORES:
        path, mark, query = path.partition("#")[0].partition("?")
        return f"{scheme}://{place.lower()}/{_followed(path)}{mark}{query}"
    followed = f"{scheme}://{place}/{_followed(path)}"
    return followed.rstrip("/") if folder else followed


def split(url: str) -> tuple[str, str]:
    """Return the bucket and the key of a store's URL."""
    bucket, _, key = url.partition("://")[2].partition("/")
    return bucket, key


def require_named(url: str, hosts: Collection[str]) -> None:
    """Refuse a URL that is not at https:// on a host that was named; with a port of its own, that was named with it.

    Raises:
        RowError: a reason that does not quote it.

    """
    try:
        parts = urlsplit(url)
        port = parts.port or HTTPS_PORT
    except ValueError:
        raise RowError("is no URL") from None
    if parts.scheme != "https":
        raise RowError(f"is at {parts.scheme}://; images are fetched at https:// alone")
    host = (parts.hostname or "").rstrip(".")
    if (host if port == HTTPS_PORT else f"{host}:{port}") not in hosts:
        raise RowError("is on no host that FLEET_ALLOW_URLS (--allow-urls) names")


def is_below(url: str, root: str) -> bool:
    """Tell whether a store's URL in its one form lies below another, which may be a bucket alone."""
    return url.startswith(root.rstrip("/") + "/")


def _is_place(scheme: str, text: str) -> bool:
    return (_BUCKET if scheme.lower() in STORES else _HOST).fullmatch(text) is not None


def _followed(path: str) -> str:
    """Follow "." and ".." of a path, also where they are escaped: some servers do so, too."""
    followed: list[str] = []
    for name in path.split("/"):
        plain = unquote(name)
        if plain == "..":
            if not followed:
                raise ValueError("leads out of its bucket or host")
            followed.pop()
        elif plain != ".":
            followed.append(name)
    return "/".join(followed)
