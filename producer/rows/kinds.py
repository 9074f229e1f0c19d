"""What kind of file an input is, told by what it begins with."""

import csv
import json
import re
from enum import Enum
from typing import Final, NamedTuple

from producer.rows.numbered import MARK

#: Bytes that are looked at.
BEGINNING: Final = 2**16

#: Not the name of a column.
_PARQUET: Final = re.compile(rb"PAR1(?![ -~]{4})")

#: A name that a column may have, where nothing but the content tells that there are columns.
_NAME: Final = re.compile(r"[^\W\d][^{}\[\]\"\\\n]{0,99}")

_DELIMITERS: Final = {",": "CSV", "\t": "TSV", ";": "CSV", "|": "CSV"}


class Kind(Enum):
    """How a file's rows are written in it."""

    #: One JSON object a line.
    LINES = "jsonl"
    #: The same with numbers of their own.
    NUMBERED = "numbered rows"
    ARRAY = "a JSON array"
    #: Objects over several lines each.
    OBJECTS = "JSON over several lines"
    TABLE = "CSV"
    PARQUET = "parquet"


class Found(NamedTuple):
    """A kind, and of a table what stands between its cells."""

    kind: Kind
    delimiter: str = ""


_MARKS: Final = ((_PARQUET, Kind.PARQUET), (re.compile(re.escape(MARK)), Kind.NUMBERED))


def kind_of(begin: bytes, *, suffix: str = "") -> Found:
    """Return the kind of a file that begins so, in UTF-8 where it is text and without a mark.

    `suffix` of its name decides only where the content leaves it open: a table of one column, say.
    """
    for mark, kind in _MARKS:
        if mark.match(begin):
            return Found(kind)
    text = begin.lstrip()
    if text.startswith(b"["):
        return Found(Kind.ARRAY if _is_array(text) else Kind.LINES)
    if text.startswith(b"{"):
        return Found(Kind.OBJECTS if _first_line(text) == b"{" else Kind.LINES)
    if (delimiter := _delimiter(begin)) is not None:
        return Found(Kind.TABLE, delimiter)
    if text and suffix in {".csv", ".tsv", ".tab"}:
        return Found(Kind.TABLE, "," if suffix == ".csv" else "\t")
    return Found(Kind.LINES)


def _first_line(text: bytes) -> bytes:
    return text.partition(b"\n")[0].strip()


def _is_array(text: bytes) -> bool:
    """Tell an array of rows from a jsonl whose first line happens to be a list."""
    first, _, rest = text.partition(b"\n")
    if first.strip() == b"[":
        return True
    if not first[1:].lstrip().startswith(b"{"):
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return True
    return not rest.strip()  # a whole list, and more after it, is a line among lines


def _delimiter(begin: bytes) -> str | None:
    """Return what stands between the cells of a table; None where it does not look like one.

    That is: a first line of several different names, and no object after it.
    """
    lines = begin.decode("utf-8", "replace").lstrip("\r\n").splitlines(keepends=True)
    if not lines or any(line.lstrip().startswith("{") for line in lines[1:2]):
        return None
    found = {delimiter: _names(lines[0], delimiter) for delimiter in _DELIMITERS}
    best = max(found, key=lambda delimiter: len(found[delimiter]))
    return best if len(found[best]) > 1 else None


def _names(line: str, delimiter: str) -> list[str]:
    """Return the names of columns in a line; none where a cell of it is no name."""
    try:
        names = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return []
    # The first is empty where a table's index was written with it.
    good = all(_NAME.fullmatch(name) for name in names[not names[0] :])
    return names if good and len(set(names)) == len(names) else []
