"""A row's images: paths, in any of the forms that data sets have, URLs, or pictures that stand in the row itself."""

import os
import re
from collections.abc import Collection, Iterator
from typing import Any, Final
from urllib.parse import unquote

from producer.rows.fields import Warn, found_in, kind_of, named, read_text, require_text
from producer.rows.guessing import IMAGES, did_you_mean
from worker.contract.errors import RowError
from worker.contract.inline_images import data_uri, looks_like_base64
from worker.contract.row_warnings import RowWarning
from worker.contract.urls import STORES, normalised, require_named, scheme_of, shown

#: Most images that are put side by side; of more, none would be seen.
_MOST_IMAGES: Final = 64

#: Longest path in characters: Linux takes 4096 bytes.
_LONGEST_PATH: Final = 4096

#: Keys of an image object: Hugging Face's (with bytes, the path is a mere name), and those of OpenAI's parts.
_KEYS: Final = ("bytes", "path", "image", "image_url", "url")

_FILE: Final = re.compile(r"file:(?://(?P<host>[^/]*)(?=/))?(?P<path>.*)", re.DOTALL | re.IGNORECASE)


def image_sources(
    fields: dict[str, Any], key: str, *, base: str, every: bool, hosts: Collection[str], warn: Warn
) -> list[str]:
    """Return a row's images, or its first alone: absolute paths, URLs, or `data:` URIs of pictures in the row itself.

    Relative paths begin in the folder `base`; URLs at https:// name one of the `hosts`.

    Raises:
        RowError: there is none, or one that is none of them.

    """
    found = read_text(fields.get(key), warn)
    values = found if isinstance(found, list) and found else [found]
    if every and len(values) > _MOST_IMAGES:
        raise RowError(f"{key}: {len(values)} images are more than {_MOST_IMAGES}.")
    used = values if every else values[:1]
    if len(values) > len(used):
        warn(RowWarning.IMAGES_UNUSED)
    if key not in fields:
        guess = did_you_mean(fields, key, IMAGES)
        raise RowError(f"{key}: expected a path or a list of paths, found {found_in(fields, key)}{guess}")
    return [_source(value, key, base, hosts) for value in used]


def _source(value: Any, key: str, base: str, hosts: Collection[str]) -> str:
    if isinstance(value, dict):
        return _of_object(value, key, base, hosts)
    if not isinstance(value, str) or not value.strip():
        raise RowError(f"{key}: expected a path or a list of paths, found {kind_of(value)}.")
    if value[:5].lower() == "data:" or looks_like_base64(value):
        return data_uri(value, key)
    if value[:5].lower() == "file:":
        value = _of_file_uri(value, key)
    # Before anything is said of it: half a surrogate pair could not be written into the output.
    path = require_text(os.path.join(base, value), key)  # noqa: PTH118 - 10 million times
    if len(path) > _LONGEST_PATH:
        raise RowError(f"{key}: a path of {len(path)} characters is longer than {_LONGEST_PATH}.")
    return _of_url(value, key, hosts) if "://" in value else path


def _of_url(url: str, key: str, hosts: Collection[str]) -> str:
    """Return a URL in its one form."""
    scheme = scheme_of(url)
    if scheme not in {*STORES, "http", "https"}:
        known = ", ".join(f"{name}://" for name in STORES)
        raise RowError(f"{key}: {shown(url)} is a URL of no kind that is read ({known}, https://); download the image.")
    try:
        url = normalised(url)
        if scheme not in STORES:
            require_named(url, hosts)
    except (RowError, ValueError) as error:
        raise RowError(f"{key}: {shown(url)} {error}.") from None
    return url


def _of_object(value: dict[str, Any], key: str, base: str, hosts: Collection[str]) -> str:
    for name, part in _parts(value):
        if name == "bytes":
            return data_uri(part, key)
        return _source(part, key, base, hosts)
    if not any(name in value for name in _KEYS):
        has = named(value) if value else "nothing"
        raise RowError(f"{key}: the object of an image has {has}; expected {named(_KEYS[:2], 'or')}.")
    raise RowError(f"{key}: the object of an image has neither a path nor bytes.")


def _parts(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Iterate over what an image object names, the most telling first."""
    for name in _KEYS:
        part = value.get(name)
        if isinstance(part, dict):  # OpenAI's {"image_url": {"url": …}}
            part = part.get("url")
        if isinstance(part, str) and part.strip():
            yield name, part


def _of_file_uri(uri: str, key: str) -> str:
    """Return the path that a `file:` URI names, relative or absolute, its percent escapes undone."""
    found = _FILE.fullmatch(uri)
    host = found and found["host"]
    if found is None or host not in {None, "", "localhost"}:
        raise RowError(f"{key}: {uri} names a file of another machine; name a path that workers can read.")
    path = unquote(found["path"])
    if not path or path.startswith("//"):
        raise RowError(f"{key}: {uri} names no file; write file:///its/path, or the path alone.")
    return path
