"""What a broker's URL must look like, told before anything is connected, and what it says about TLS."""

import os
import re
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from worker.contract.sentinel_url import SCHEME, sentinels

_SCHEMES: Final = ("redis://", "rediss://", "redis+socket://", SCHEME)

#: Options of a TLS connection that name a file or a folder, and those with a word.
_PATHS: Final = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")
_WORDS: Final = {"ssl_cert_reqs": ("required", "optional", "none"), "ssl_check_hostname": ("true", "false")}


def redis_url(url: str) -> str:
    """Return the URL in a form that kombu and redis-py understand alike.

    Each has options, spellings and defaults of its own: without `ssl_cert_reqs` kombu would trust any certificate.

    Raises:
        ValueError: it names no Redis, or one of them would misunderstand it; the URL itself is kept out of the message,
            since it may hold a password.

    """
    url = url.strip()
    if not url.startswith(_SCHEMES):
        raise ValueError(f"must begin with one of {', '.join(_SCHEMES)}")
    if (named := sentinels(url)) is not None:
        return named.url
    parts = _parts(url)
    if parts.scheme == "redis+socket":
        return _socket(url, parts)
    if parts.username and not parts.password:  # most likely it is the password: nothing would hide it
        raise ValueError("names a user without a password; write USER:PASSWORD@ or :PASSWORD@ before the host")
    return _tls(parts) if parts.scheme == "rediss" else _plain(parts)


def tls_options(url: str) -> dict[str, Any]:
    """Return what a URL in that form says about TLS, as redis-py takes it; nothing where it is without TLS."""
    options: dict[str, Any] = dict(_options(urlsplit(url))) if url.startswith("rediss://") else {}
    if "ssl_check_hostname" in options:
        options["ssl_check_hostname"] = options["ssl_check_hostname"] == "true"
    return options


def for_redis_py(url: str) -> str:
    """Spell a URL in that form as redis-py reads it, which has other names for a Unix socket and its database."""
    if not url.startswith("redis+socket://"):
        return url
    return url.replace("redis+socket://", "unix://", 1).replace("?virtual_host=", "?db=", 1)


def shown(url: str) -> str:
    """Show a URL in that form as its user wrote it, without its password and what it says about TLS."""
    if (named := sentinels(url)) is not None:
        return named.shown
    if url.startswith("redis+socket://"):
        return url
    parts = urlsplit(url)
    user, at, address = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{user.partition(':')[0]}{':**' * bool(at)}{at}{address}{parts.path}"


def _parts(url: str) -> SplitResult:
    """Split a URL.

    Raises:
        ValueError: it does not say what it seems to, as with unescaped characters in its password.

    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(f"is no valid URL; {_EXPECTED}") from None
    # kombu takes what follows a semicolon for another URL.
    if ";" in url or parts.fragment or "@" in parts.path + parts.query:
        raise ValueError("is no valid URL; write special characters of a password as %XX")
    if parts.scheme == "redis+socket":
        return parts
    if not parts.hostname:
        raise ValueError(f"has no host; {_EXPECTED}")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError(f"has a port that is no number up to 65535; {_EXPECTED}") from None
    if not re.fullmatch(r"(/(\d+/?)?)?", parts.path):
        raise ValueError(f"has a database that is no number; {_EXPECTED}")
    return parts._replace(path=parts.path if parts.path == "/" else parts.path.rstrip("/"))


_EXPECTED: Final = "expected redis://HOST:PORT/DATABASE, and an IPv6 address in brackets"


def _options(parts: SplitResult) -> list[tuple[str, str]]:
    return parse_qsl(parts.query, keep_blank_values=True)


def _socket(url: str, parts: SplitResult) -> str:
    # Flower's pages would show a password; the socket's permissions do its work.
    if not parts.path or parts.netloc or not re.fullmatch(r"(virtual_host=\d+)?", parts.query):
        raise ValueError(
            "may say of a Unix socket no more than redis+socket:///its/path, and ?virtual_host=1 for a database"
        )
    return url


def _plain(parts: SplitResult) -> str:
    if parts.query:
        raise ValueError(
            "may hold nothing after its database: a password stands before the host, and options that begin with ssl_"
            " belong to rediss://"
        )
    return parts.geturl()


def _tls(parts: SplitResult) -> str:
    """Return a URL that says of each option what it means, also where kombu and redis-py differ in what they assume."""
    given = _options(parts)
    options = {"ssl_cert_reqs": "required", "ssl_check_hostname": "true", **dict(given)}
    if not {*options} <= {*_PATHS, *_WORDS}:
        raise ValueError(f"may hold no other options than {', '.join((*_WORDS, *_PATHS))}")
    if len({name for name, _ in given}) < len(given):  # one reads the first, the other the last
        raise ValueError("holds an option twice")
    for name, words in _WORDS.items():
        if options[name] not in words:
            raise ValueError(f"must have one of {', '.join(words)} as its {name}")
    for name in _PATHS:
        if name in options and not os.access(options[name], os.R_OK):
            raise ValueError(f"names as its {name} something that cannot be read: {options[name]}")
    if "ssl_keyfile" in options and "ssl_certfile" not in options:
        raise ValueError("has an ssl_keyfile and no ssl_certfile; a client's certificate needs both")
    return parts._replace(query=urlencode(options, safe="/")).geturl()
