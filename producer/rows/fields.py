"""What all columns of a row have in common: text that stands for JSON, characters that are none, words for errors."""

import ast
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from producer.rows.jsontext import RepeatedKey, TooDeep, decode
from worker.contract.errors import RowError
from worker.contract.row_warnings import RowWarning

#: Takes note of what is to be said of a row.
Warn = Callable[[RowWarning], object]

_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")

#: Most characters of a list that is written as Python writes it: its own parser takes a hundred times as much memory.
_LONGEST_LITERAL: Final = 100_000

#: Most keys that an error names, and characters of each.
_MOST_KEYS, _LONGEST_KEY = 8, 40


def read_text(value: Any, warn: Warn) -> Any:
    """Return the list or object that a text holds, with a warning; anything else as it is.

    Tables have no lists: exports write them into a cell as JSON, or (pandas) as Python does.
    """
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    found = _json_in(value)
    if isinstance(found, dict) or (isinstance(found, list) and all(isinstance(part, str | dict) for part in found)):
        warn(RowWarning.JSON_TEXT)
        return found
    return value


def _json_in(text: str) -> Any:
    try:
        return decode(text)
    except (RepeatedKey, TooDeep):
        return None
    except ValueError:
        pass
    if len(text) > _LONGEST_LITERAL:
        return None
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def require_text(text: str, key: str) -> str:
    """Return the text.

    Raises:
        RowError: a character of it cannot be written to a file, or not named to the system.

    """
    if _NO_TEXT.search(text):
        raise RowError(f"{key}: holds a character that is no text (NUL or half a surrogate pair).")
    return text


def found_in(fields: dict[str, Any], key: str) -> str:
    """Say what a column holds, for an error; where it is missing, which there are."""
    if key in fields:
        return kind_of(fields[key])
    return f"no such field (there is {named(fields)})" if fields else "no such field"


def named(keys: Iterable[str], word: str = "and") -> str:
    """List keys for an error, each in quotation marks: "a", "b" and "c"."""
    shown = [f'"{key[:_LONGEST_KEY]}"' for key in keys]
    if len(shown) > _MOST_KEYS:
        return f"{', '.join(shown[:_MOST_KEYS])}, …"
    return f" {word} ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


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
