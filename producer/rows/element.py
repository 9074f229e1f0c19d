"""What every kind of input file is read into: elements, each the text of one row, and the reason why a file is none."""

from typing import Final, NamedTuple, Self

#: Longest element in bytes, with room for an image or two in base64; a longer one is no row, and would fill the memory.
LONGEST_LINE: Final = 16 * 2**20

#: What is kept of a longer one.
BEGINNING: Final = 2**10


class Element(NamedTuple):
    """The text of a row, or of a blank line."""

    #: 1-based, of the line of the file in which it begins; in a file without lines, its own number.
    number: int
    #: With blanks around it; of one that is too long, only the beginning.
    text: bytes
    #: Of the whole text, in bytes.
    size: int
    #: Why it cannot be a row, whatever it says.
    problem: str | None = None
    #: The row's own number, where the file names it; else it is that of its place.
    row: int | None = None

    @classmethod
    def of(cls, number: int, text: bytes, problem: str | None = None) -> Self:
        """Return an element whose whole text is at hand."""
        return cls(number, text if len(text) <= LONGEST_LINE else text[:BEGINNING], len(text), problem)


class Unreadable(Exception):  # noqa: N818 - what was found
    """The file cannot be read as rows. Its text goes on where "The input FILE" left off, and ends with a full stop."""
