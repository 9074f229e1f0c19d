"""A file of JSON objects that is no jsonl: an array of them, or objects that are written over several lines."""

from collections.abc import Iterator
from typing import IO

from producer.rows.element import Element
from producer.rows.jsonstream import JsonText


def read_array(file: IO[bytes]) -> Iterator[Element]:
    """Iterate over the elements of the JSON array that a file is, each as one line of text.

    Raises:
        Unreadable: it is cut, or something is before, between or after its elements that does not belong there.

    """
    text = JsonText(file)
    text.next()
    text.take_byte()
    if text.next() == b"]":
        text.take_byte()
    else:
        yield text.element()
        while (char := text.next()) == b",":
            text.take_byte()
            yield text.element()
        if char != b"]":
            raise text.damage(char, '"," or "]"')
        text.take_byte()
    if char := text.next():
        raise text.damage(char, "nothing more after the end of the array")


def read_objects(file: IO[bytes]) -> Iterator[Element]:
    """Iterate over JSON objects that stand one after the other in a file, each over as many lines as it likes.

    Raises:
        Unreadable: as above.

    """
    text = JsonText(file)
    while char := text.next():
        if char != b"{":
            raise text.damage(char, 'another object, which begins with "{"')
        yield text.element()
