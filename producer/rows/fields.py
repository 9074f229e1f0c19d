"""What an edit needs from a row's fields: its images and its instruction, or the exact reason why not."""

import os
import re
from collections.abc import Callable
from typing import Any

from worker.contract.errors import RowError
from worker.contract.parameters import LONGEST_PROMPT
from worker.contract.row_warnings import RowWarning

#: Takes note of what is to be said of a row.
Warn = Callable[[RowWarning], object]

_NO_TEXT = re.compile("[\0\ud800-\udfff]")

#: Most images that are put side by side; of more, none would be seen.
_MOST_IMAGES = 64

#: Longest path in characters: Linux takes 4096 bytes.
_LONGEST_PATH = 4096


def image_paths(fields: dict[str, Any], key: str, *, base: str, every: bool, warn: Warn) -> list[str]:
    """Return the absolute paths of a row's images, or of its first alone.

    Relative paths begin in the folder `base`.

    Raises:
        RowError: there is none, or one that is no path of a file.

    """
    found = fields.get(key)
    values = found if isinstance(found, list) and found else [found]
    if every and len(values) > _MOST_IMAGES:
        raise RowError(f"{key}: {len(values)} images are more than {_MOST_IMAGES}.")
    used = values if every else values[:1]
    if len(values) > len(used):
        warn(RowWarning.IMAGES_UNUSED)
    return [_image_path(value, key, base, missing=key not in fields) for value in used]


def _image_path(value: Any, key: str, base: str, *, missing: bool) -> str:
    if not isinstance(value, str) or not value.strip():
        raise RowError(f"{key}: expected a path or a list of paths, found {_found(value, missing=missing)}.")
    # Before anything is said of it: half a surrogate pair could not be written into the output.
    path = require_text(os.path.join(base, value), key)  # noqa: PTH118 - 10 million times
    if len(path) > _LONGEST_PATH:
        raise RowError(f"{key}: a path of {len(path)} characters is longer than {_LONGEST_PATH}.")
    if "://" in value:
        raise RowError(f"{key}: {value} is a URL; download the image and name its path.")
    return path


def instruction(fields: dict[str, Any], key: str) -> str:
    """Return the text of the last user turn; a turn without a role, or a plain string, counts as the user's.

    Raises:
        RowError: there is none.

    """
    turns = fields.get(key)
    if isinstance(turns, str):
        turns = [turns]
    if not isinstance(turns, list):
        raise RowError(f"{key}: expected a list of turns, found {_found(turns, missing=key not in fields)}.")
    for turn in reversed(turns):
        if isinstance(turn, dict) and turn.get("role") not in (None, "user"):
            continue
        # The last one decides: an earlier instruction was for an earlier picture.
        text = _text(turn.get("content") if isinstance(turn, dict) else turn)
        if not text:
            break
        if len(text) > LONGEST_PROMPT:
            raise RowError(f"{key}: the instruction has {len(text)} characters, more than {LONGEST_PROMPT}.")
        return require_text(text, key)
    raise RowError(f"{key}: no user turn with text.")


def _found(value: Any, *, missing: bool) -> str:
    return "no such field" if missing else kind_of(value)


def _text(content: Any) -> str:
    """Return a turn's text: a string, or the text parts of a list of parts."""
    if isinstance(content, str):
        return content.strip()
    if isinstance(content, list):
        parts = (part.get("text") if isinstance(part, dict) else part for part in content)
        return "\n".join(part.strip() for part in parts if isinstance(part, str) and part.strip())
    return ""


def require_text(text: str, key: str) -> str:
    """Return the text.

    Raises:
        RowError: a character of it cannot be written to a file, or not named to the system.

    """
    if _NO_TEXT.search(text):
        raise RowError(f"{key}: holds a character that is no text (NUL or half a surrogate pair).")
    return text


def kind_of(value: Any) -> str:
    """Name a JSON value's kind for an error."""
    if value in (None, "", [], {}):
        return {"None": "null", "''": "an empty string", "[]": "an empty list"}.get(repr(value), "an empty object")
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "a list",
        dict: "an object",
    }
    return names[type(value)]
