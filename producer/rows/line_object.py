"""The JSON object that a line of an input is."""

from json import JSONDecodeError
from typing import Any

from producer.rows.fields import kind_of
from producer.rows.jsontext import RepeatedKey, TooDeep, decode
from producer.rows.lines import Line
from worker.contract.errors import RowError


def fields_of(line: Line) -> dict[str, Any]:
    """Return a line's object.

    Raises:
        RowError: it is none.

    """
    if line.problem is not None:
        raise RowError(line.problem)
    try:
        fields = decode(line.text)
    except RepeatedKey as error:
        raise RowError(f"holds the key {error} twice, and which of them counts is anybody's guess.") from None
    except TooDeep:
        raise RowError("is nested more than 256 deep.") from None
    except JSONDecodeError as error:
        what = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        raise RowError(f"is no JSON ({what} at column {error.colno}).") from None
    if not isinstance(fields, dict):
        raise RowError(f"expected a JSON object, found {kind_of(fields)}.")
    return fields
