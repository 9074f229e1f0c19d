"""Columns that were probably meant: where one is missing, the row may have it under another name."""

import shlex
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, Final, NamedTuple

from worker.settings.presets import PRESETS


class Column(NamedTuple):
    """A column of the input."""

    #: The option that names it.
    option: str
    #: Names under which data sets have it, the most usual first.
    usual: tuple[str, ...]
    #: What it may hold.
    kinds: tuple[type, ...]


def _usual(setting: str, *names: str) -> tuple[str, ...]:
    return (*names, *(columns[setting] for columns in PRESETS.values()))


IMAGES: Final = Column(
    option="--input-image-key",
    usual=_usual("input_image_key", "image", "images", "image_path", "img", "file_name", "path"),
    kinds=(str, list, dict),
)
CONVERSATIONS: Final = Column(
    option="--input-conversation-key",
    usual=_usual("input_conversation_key", "messages", "instruction", "prompt", "edit_instruction", "text"),
    kinds=(str, list),
)

#: Columns of a row that are looked at, and characters of a name: a row may have any number of any length.
_MOST: Final = 100
_LONGEST: Final = 40

#: From where on names are taken for nearly the same, by difflib: "caption" is no misspelt "conversations" (0.6).
_NEAR: Final = 0.75


def did_you_mean(fields: Mapping[str, Any], key: str, column: Column) -> str:
    """Return the end of an error that says a column is missing: a question that names the option to give, or a dot.

    Taken is a name that is nearly the one that is missing, or else one that such a column usually has; only where what
    it holds could be it.
    """
    names = {name.lower(): name for name, value in islice(fields.items(), _MOST) if _fits(name, value, column)}
    nearest = get_close_matches(key.lower(), names, n=1, cutoff=_NEAR)
    meant = next((name for name in [*nearest, *column.usual] if name in names), None)
    return "." if meant is None else f"; did you mean {column.option} {shlex.quote(names[meant])}?"


def _fits(name: str, value: Any, column: Column) -> bool:
    return 0 < len(name) <= _LONGEST and name.isprintable() and isinstance(value, column.kinds) and bool(value)
