"""Settings that name a place: a folder, a store's URL, or hosts of the internet."""

import re
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from worker.contract.urls import HTTPS_PORT, STORES, normalised, scheme_of, shown

#: A name or an address, and a port where it is another than 443.
_HOST: Final = re.compile(r"([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*(:[0-9]{1,5})?")


def _place(given: Any) -> Any:
    if not isinstance(given, str) or (scheme := scheme_of(given)) is None:
        return Path(given) if isinstance(given, str) else given
    if scheme not in STORES:
        known = ", ".join(f"{name}://" for name in STORES)
        raise ValueError(f"{shown(given)} is neither a folder nor at {known}")
    try:
        return normalised(given, folder=True)
    except ValueError as error:
        raise ValueError(f"{shown(given)} {error}") from None


def _hosts(given: Any) -> Any:
    listed = given.split(",") if isinstance(given, str) else given
    if not isinstance(listed, list | tuple) or not all(isinstance(host, str) for host in listed):
        raise ValueError("expected hosts such as images.example.org, by commas")
    hosts = [_in_one_form(host.strip().lower()) for host in listed if host.strip()]
    if wrong := next((host for host in hosts if not _HOST.fullmatch(host)), None):
        raise ValueError(f"{shown(wrong)} is no host; write it as images.example.org, without https:// and a path")
    return tuple(dict.fromkeys(hosts))


def _in_one_form(host: str) -> str:
    """Leave out what a host has at every URL: the dot at its end, and the port of https://."""
    name, _, port = host.partition(":")
    if not port.isdecimal():
        return host.rstrip(".")
    name = name.rstrip(".")
    return name if int(port) == HTTPS_PORT else f"{name}:{int(port)}"


#: A folder, or a store's URL (text, in its one form), which may be a bucket alone.
Place = Annotated[Path | str, BeforeValidator(_place)]

#: Hosts in small letters, by a list or by commas.
Hosts = Annotated[tuple[str, ...], BeforeValidator(_hosts)]
