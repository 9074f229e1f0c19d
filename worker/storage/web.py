"""A file of a web server: fetched from hosts that were named, at public addresses, in bounds of bytes and of time."""

from collections.abc import Callable, Collection
from typing import Any, Final
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from worker.contract.errors import RowError, TransientError
from worker.contract.urls import HTTPS_PORT, normalised, require_named
from worker.storage.addresses import public_addresses
from worker.storage.connecting import connected, deadline
from worker.storage.meaning import Absent
from worker.storage.trying import trying

_MOST_REDIRECTS: Final = 5
_CHUNK: Final = 2**18

#: What a path and a query have as it is; what is escaped already stays so.
_PLAIN: Final = "%/?:@!$&'()*+,;=~[]"

_OK, _SERVER = 200, 500
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ABSENT: Final = frozenset({404, 410})
_DENIED: Final = frozenset({401, 403})
_PASSING: Final = frozenset({408, 425, 429})

#: Returns the addresses of a host and a port, or raises a RowError.
Resolve = Callable[[str, int], tuple[str, ...]]


class TooLarge(RowError):  # noqa: N818 - as a file is
    """It is longer than what may be fetched."""


def fetch(url: str, *, hosts: Collection[str], most: int, resolve: Resolve = public_addresses) -> bytes:
    """Fetch a file of at most `most` bytes; each redirect is checked as the first URL is.

    Raises:
        Absent: there is none.
        TooLarge: it is longer.
        RowError: its host is none of `hosts`, or a private one; the server refuses.
        TransientError: it fails in a way that may pass.

    """
    until = deadline()
    return trying(lambda: _followed(url, hosts, most, resolve, until))


def _followed(url: str, hosts: Collection[str], most: int, resolve: Resolve, until: float) -> bytes:
    for _ in range(_MOST_REDIRECTS + 1):
        require_named(url, hosts)
        found = _got(urlsplit(url), most, resolve, until)
        if isinstance(found, bytes):
            return found
        try:
            url = normalised(urljoin(url, found))
        except ValueError:
            raise RowError("its server redirects to no URL") from None
    raise RowError(f"its server redirects more than {_MOST_REDIRECTS} times")


def _got(url: SplitResult, most: int, resolve: Resolve, until: float) -> bytes | str:
    """Return what a server sends, or where it redirects to."""
    host, port = (url.hostname or "").rstrip("."), url.port or HTTPS_PORT
    with connected(host, port, resolve(host, port), until=until) as connection:
        target = quote(f"{url.path or '/'}{url.query and f'?{url.query}'}", safe=_PLAIN)
        headers = {"Host": url.netloc, "User-Agent": "bulk-image-editor", "Accept-Encoding": "identity"}
        connection.request("GET", target, headers=headers, preload_content=False, decode_content=False)
        response = connection.getresponse()
        location = response.headers.get("Location")
        if response.status in _REDIRECTS and location:
            return str(location)
        _require_ok(response.status)
        return _body(response, most)


def _body(response: Any, most: int) -> bytes:
    body = bytearray()
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > most:
        raise TooLarge(f"is too large ({length} bytes; at most {most} are read)")
    while chunk := response.read(_CHUNK):
        body += chunk
        if len(body) > most:
            raise TooLarge(f"is too large (at most {most} bytes are read)")
    return bytes(body)


def _require_ok(status: int) -> None:
    if status == _OK:
        return
    if status in _ABSENT:
        raise Absent(f"no such file ({status})")
    if status in _DENIED:
        raise RowError(f"access is denied ({status})")
    if status >= _SERVER or status in _PASSING:
        raise TransientError(f"its server has trouble for the moment ({status})")
    raise RowError(f"its server refuses ({status})")
