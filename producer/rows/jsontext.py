"""JSON objects as text: read for their fields, and given back with every digit, escape and blank of the user's."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import accumulate
from json.decoder import scanstring  # type: ignore[attr-defined]  # undocumented in the stubs, not in the module
from typing import Any

_BLANKS = re.compile(r"[ \t\n\r]*")

#: Longest integer that is parsed: Python refuses more digits than this, and no field that is read holds one.
_MOST_DIGITS = 4000


def _integer(digits: str) -> float:
    return int(digits) if len(digits) < _MOST_DIGITS else float("inf")


class RepeatedKey(ValueError):  # noqa: N818 - what was found
    """An object holds a key twice: most readers would drop one of its values without a word."""


class TooDeep(ValueError):  # noqa: N818 - what was found
    """Lists and objects are nested in each other more than 256 deep."""


_DEEPEST = 256


def _depth(text: str) -> int:
    """Return how deep lists and objects are nested."""
    steps = ((char in "[{") - (char in "]}") for char in _BRACKETS_OR_STRINGS.sub(r"\1", text))
    return max(accumulate(steps), default=0)


#: Matches whole strings, in which brackets count for nothing, and everything else that is no bracket.
#: Possessive, so that a string without an end is looked at once and not once per quote in it.
_BRACKETS_OR_STRINGS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^][{}"]++|([][{}])', re.DOTALL)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RepeatedKey(json.dumps(key)[:80])
        found[key] = value
    return found


_DECODER = json.JSONDecoder(parse_int=_integer)
_STRICT_DECODER = json.JSONDecoder(parse_int=_integer, object_pairs_hook=_distinct)


def decode(text: str) -> Any:
    """Parse JSON text.

    Raises:
        RepeatedKey: an object of it, at any depth, holds a key twice.
        TooDeep: it is nested more than 256 deep.
        json.JSONDecodeError: it is none.

    """
    # Python's own limit depends on how deep its caller stands: the same line would be good here and bad there.
    if text.count("[") + text.count("{") > _DEEPEST and _depth(text) > _DEEPEST:
        raise TooDeep
    return _STRICT_DECODER.decode(text)


#: Made once: `json.dumps` makes one for each call that names an option.
_ENCODER = json.JSONEncoder(ensure_ascii=False)


def encode(value: Any) -> str:
    """Return a value as JSON text, readable where it can be: escaped only if half a surrogate pair is in it."""
    text = _ENCODER.encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def splice(text: str, *, drop: Collection[str], add: Mapping[str, Any], known: Collection[str] | None = None) -> str:
    """Return the text of a JSON object without some of its members, and with others added last.

    The members that stay are copied as they were written: parsing and printing would lose digits of long numbers.
    `known`: the object's keys, where the caller has them, so that a text from which nothing is dropped is not read.
    """
    if known is not None and not any(key in known for key in drop):
        before = [text[1:-1].rstrip()] if known else []
    else:
        members = list(_members(text))
        kept = [raw for key, raw in members if key not in drop]
        # With their blanks, too, where every member stays.
        before = [text[1:-1].rstrip()] if members and len(kept) == len(members) else kept
    added = [f"{encode(key)}: {encode(value)}" for key, value in add.items()]
    return "{" + ", ".join([*before, *added]) + "}"


def _members(text: str) -> Iterator[tuple[str, str]]:
    """Iterate over the members of a valid JSON object: key, and the text of key and value together."""
    at = _skip(text, 1)
    while text[at] != "}":
        begin = at
        key, at = scanstring(text, at + 1, True)  # noqa: FBT003 - its own signature
        at = _skip(text, _skip(text, at) + 1)
        _, at = _DECODER.raw_decode(text, at)
        yield key, text[begin:at]
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at
