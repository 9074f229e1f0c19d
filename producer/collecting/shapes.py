"""What kinds of values a table's columns hold, found out from all of its rows: JSON has none, and parquet needs one."""

import re
from collections.abc import Iterator
from typing import Any, Final

#: Integers up to here are exact as doubles, too; and up to here they are integers of 64 bits.
_EXACT: Final = 2**53
_LARGEST: Final = 2**63 - 1

#: Most keys of an object that become columns of their own: of more, they are data, and no names.
_MOST_FIELDS: Final = 500

_NO_TEXT: Final = re.compile("[\ud800-\udfff]")

_NAMES: Final = {bool: "booleans", int: "integers", float: "numbers", str: "text", list: "lists", dict: "objects"}


class Shape:
    """What the values of one place in rows are, as far as they were seen."""

    def __init__(self) -> None:
        self._kinds: set[type] = set()
        #: Whether there was an integer that a double, or 64 bits, do not hold; or a text that is none.
        self._inexact = self._odd = False
        #: Of lists: what is in them.
        self.items: Shape | None = None
        #: Of objects: what their keys hold, in the order in which they came.
        self.fields: dict[str, Shape] = {}

    def see(self, value: Any) -> None:
        """Take note of a value; null is of every kind."""
        if value is None:
            return
        kind = type(value)
        self._kinds.add(kind)
        if kind is int:
            self._inexact |= abs(value) > _EXACT
            self._odd |= not -_LARGEST <= value <= _LARGEST
        elif kind is str:
            self._odd |= _NO_TEXT.search(value) is not None
        elif kind is list:
            self.items = self.items or Shape()
            for one in value:
                self.items.see(one)
        elif kind is dict:
            for key, one in value.items():
                self.field(key).see(one)

    def field(self, key: str) -> "Shape":
        """Return what a key of objects holds."""
        found = self.fields.get(key)
        if found is None:
            found = self.fields[key] = Shape()
            self._odd |= _NO_TEXT.search(key) is not None
        return found

    @property
    def kind(self) -> type | None:
        """The kind of all values: a type of JSON's; None where all are null, and `object` where they have none.

        What has none is written as JSON text.
        """
        if not self._kinds:
            return None
        if self._kinds == {int, float} and not self._inexact:
            return float
        [kind, *others] = self._kinds
        is_map = kind is dict and not 0 < len(self.fields) <= _MOST_FIELDS
        return object if others or self._odd or is_map else kind

    def take_as_lists(self) -> bool:
        """Have a text be a list of one, where all else are lists of texts; tell whether it is so."""
        items = self.items or Shape()
        if self._kinds != {str, list} or self._odd or items.kind not in {None, str}:
            return False
        items.see("")
        self._kinds, self.items = {list}, items
        return True

    def has_text(self) -> bool:
        """Tell whether something in it is to be written as JSON text."""
        return any(True for _ in self.as_text(""))

    def as_text(self, name: str) -> Iterator[tuple[str, str]]:
        """Iterate over the places that are written as JSON text, by their names, each with what is there."""
        kind = self.kind
        if kind is object:
            yield name, " and ".join(sorted(_NAMES[one] for one in self._kinds))
        elif kind is list and self.items is not None:
            yield from self.items.as_text(f"{name}[]")
        elif kind is dict:
            for key, shape in self.fields.items():
                yield from shape.as_text(f"{name}.{key}")
