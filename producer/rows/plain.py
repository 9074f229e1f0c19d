"""The lines of a plain jsonl."""

from collections.abc import Iterator
from typing import IO

from producer.rows.element import BEGINNING, LONGEST_LINE, Element


def read_plain(file: IO[bytes], *, longest: int = LONGEST_LINE) -> Iterator[Element]:
    """Iterate over the lines, blank ones among them; of one that is too long, only the beginning is kept."""
    number = 0
    while raw := file.readline(longest + 1):
        number += 1
        size, part = len(raw), raw
        if size > longest:
            raw = raw[:BEGINNING]
            while part and not part.endswith(b"\n"):
                part = file.readline(LONGEST_LINE)
                size += len(part)
        yield Element(number, raw, size)
