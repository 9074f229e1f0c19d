"""What Python holds as JSON has it: numbers of numpy, times of pandas, paths, and nothing that JSON cannot say."""

import base64
import math
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

#: Deepest nesting of lists and objects that a row may have when it is read again.
_DEEPEST: Final = 255

#: What numbers are written with to the last digit, and what is told by its text.
_AS_TEXT: Final = (PurePath, Decimal, UUID, timedelta)


class Unsayable(ValueError):  # noqa: N818 - what was found
    """A value that JSON cannot hold; its text goes on where "row 3, images" left off."""


def plain(value: Any, depth: int = _DEEPEST) -> Any:
    """Return a value as JSON has it: itself, where JSON has it.

    Missing values of any library are null; dates and times are text in ISO 8601, decimals and durations text, and
    bytes base64.

    Raises:
        Unsayable: JSON cannot hold it.

    """
    kind = type(value)
    if value is None or kind in {str, bool, int}:
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    if depth == 0 and isinstance(value, Mapping | list | tuple):
        raise Unsayable("is nested more than 256 deep.")
    if isinstance(value, Mapping):
        return {key_of(key): plain(one, depth - 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, depth - 1) for one in value]
    if isinstance(value, str | int):  # kinds of them, of which JSON knows nothing
        return str.__str__(value) if isinstance(value, str) else int(value)
    return _other(value, kind, depth)


def key_of(key: Any) -> str:
    """Return an object's key.

    Raises:
        Unsayable: it is no string.

    """
    if not isinstance(key, str):
        raise Unsayable(f"has a key that is no string: {key!r:.80}.")
    return str.__str__(key)


def kind_of(value: Any) -> str:
    """Name a value's type for an error, with its library."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def is_array(value: Any) -> bool:
    """Tell whether a value is an array of numpy's, without importing that."""
    return any(f"{kind.__module__}.{kind.__name__}" == "numpy.ndarray" for kind in type(value).__mro__)


def _other(value: Any, kind: type, depth: int) -> Any:
    if kind.__name__ in {"NAType", "NaTType"}:  # pandas' missing values: no two of them are equal
        return None
    if isinstance(value, date | time):  # also pandas' Timestamp, with its nanoseconds
        return value.isoformat()
    if isinstance(value, _AS_TEXT):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if is_array(value):
        return plain(value.tolist(), depth)
    if kind.__module__ == "numpy":
        return _of_numpy(value, depth)
    raise Unsayable(f"JSON cannot hold a value of the type {kind_of(value)}; make it text, a number, a list or a dict.")


def _of_numpy(value: Any, depth: int) -> Any:
    """Return one of numpy's scalars; its times of nanoseconds know themselves as mere numbers."""
    if type(value).__name__ in {"datetime64", "timedelta64"}:
        text = str(value)
        return None if text == "NaT" else text
    found = value.item()
    if type(found).__module__ == "numpy":  # longer than a double, which JSON's readers have
        raise Unsayable(f"JSON cannot hold a value of the type {kind_of(value)}; make it a float.")
    return plain(found, depth)
