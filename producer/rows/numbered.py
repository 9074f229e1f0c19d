"""Lines with numbers of their own: what `producer.staging` writes for rows that are not numbered from 0 on.

The first line says that it is such a file; each other one is a row's number, a tab, and the row's text, as it was.
"""

import re
from collections.abc import Iterator
from typing import IO, Final

from producer.rows.element import BEGINNING, LONGEST_LINE, Element, Unreadable
from producer.rows.numbers import LARGEST
from producer.rows.plain import read_plain

#: The first line, without its end: a mark that no row of anybody's begins with, and the form's version.
MARK: Final = b"#bulk-image-editor:numbered-rows:"
_VERSION: Final = b"1"

_DIGITS: Final = len(str(LARGEST))
_LINE: Final = re.compile(rb"([0-9]{1,%d})\t(.*)" % _DIGITS, re.DOTALL)


def header() -> bytes:
    """Return the line with which such a file begins."""
    return MARK + _VERSION + b"\n"


def numbered_line(number: int, text: str) -> bytes:
    """Return the line of a row."""
    return b"%d\t%s\n" % (number, text.encode())


def read_numbered(file: IO[bytes]) -> Iterator[Element]:
    """Iterate over the rows: each has its own number, and for people the place at which it stands, from 1.

    Raises:
        Unreadable: it is of another version, or damaged.

    """
    lines = read_plain(file, longest=LONGEST_LINE + _DIGITS + 2)
    version = next(lines).text.removeprefix(MARK).strip()
    if version != _VERSION:
        raise Unreadable("holds numbered rows of another version of this program; write it again.")
    for place, line in enumerate(lines, start=1):
        found = _LINE.fullmatch(line.text)
        if found is None or (number := int(found[1])) > LARGEST:
            raise Unreadable(f"holds numbered rows and is damaged after row {place - 1}; write it again.")
        size = line.size - len(found[1]) - 1
        text = found[2] if size <= LONGEST_LINE else found[2][:BEGINNING]
        yield Element(place, text, size, row=number)
