"""CSV and its relatives: the header names the columns, and every cell is the text that it is."""

import csv
import json
from collections.abc import Iterator
from typing import IO

from producer.rows.element import LONGEST_LINE, Element, Unreadable


def read_table(file: IO[bytes], delimiter: str) -> Iterator[Element]:
    """Iterate over the rows of a table, each as a JSON object whose values are text; an empty cell is "".

    Rows whose cells are all empty, as spreadsheets leave them at the end, are passed over.

    Raises:
        Unreadable: its quotes do not pair up, so that nobody can tell where cells begin; or two columns share a name.

    """
    csv.field_size_limit(LONGEST_LINE)  # of the whole process; another reader may be at work, so it stays
    reader = csv.reader(_lines(file), delimiter=delimiter, strict=True)
    begin, names = 1, None
    try:
        for cells in reader:
            if names is not None:
                if any(map(str.strip, cells)):
                    yield _element(begin, names, cells)
            elif cells:
                names = _names(cells)
            begin = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(
            f"is a table (CSV) and is damaged in the row that begins in line {begin} ({error}); write it again, with"
            " quotes around cells that hold quotes, commas or ends of lines, and quotes in them doubled."
        ) from None


def _lines(file: IO[bytes]) -> Iterator[str]:
    """Iterate over the lines; bytes that are no UTF-8 become what no text can hold."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise Unreadable(f"is a table (CSV) whose line {number} has more than {LONGEST_LINE} bytes.")
        yield line.decode("utf-8", "surrogateescape")


def _names(cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    for name in names:
        if names.count(name) > 1:
            raise Unreadable(f"is a table (CSV) with two columns of the name {json.dumps(name)[:80]}; rename one.")
    return names


def _element(number: int, names: list[str], cells: list[str]) -> Element:
    if len(cells) != len(names):
        plural = "s" * (len(cells) != 1)
        return _bad(number, cells, f"has {len(cells)} cell{plural}; the table's header names {len(names)} columns.")
    row = json.dumps(dict(zip(names, cells, strict=True)), ensure_ascii=False)
    try:
        text = row.encode()
    except UnicodeEncodeError:
        return _bad(number, cells, "is no UTF-8 text; save the table as CSV in UTF-8.")
    return Element.of(number, text)


def _bad(number: int, cells: list[str], problem: str) -> Element:
    text = json.dumps(cells, ensure_ascii=False).encode("utf-8", "surrogateescape")
    return Element.of(number, text, problem)
