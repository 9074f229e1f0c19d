"""Sets of rows' numbers: of ten million that follow one another, or of a few that lie far apart."""

from collections.abc import Iterable
from typing import Final

#: Largest number of a row: a double, which is all that some readers of JSON have, holds no larger one exactly.
LARGEST: Final = 2**53 - 1

#: Numbers of a page: a bit for each, in one integer of Python's.
_PAGE: Final = 8
_WITHIN: Final = 2**_PAGE - 1


class Numbers:
    """A set of numbers, none of them negative, that takes about a bit for each of those that lie near each other."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._pages: dict[int, int] = {}
        for number in numbers:
            self.add(number)

    def __contains__(self, number: int) -> bool:
        return bool(self._pages.get(number >> _PAGE, 0) >> (number & _WITHIN) & 1)

    def __len__(self) -> int:
        return sum(page.bit_count() for page in self._pages.values())

    def add(self, number: int) -> bool:
        """Add a number; tell whether it was not there before."""
        page, bit = self._pages.get(number >> _PAGE, 0), 1 << (number & _WITHIN)
        if page & bit:
            return False
        self._pages[number >> _PAGE] = page | bit
        return True
