"""JSON text as a stream: where each element of it begins and ends, and in which line, without parsing any.

So each element's text is handed on as the user wrote it, and one that is no valid JSON is one row's fault.
"""

import re
from typing import IO, Final

from producer.rows.element import BEGINNING, LONGEST_LINE, Element, Unreadable

_PIECE: Final = 2**18

_INSIDE: Final = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
_STRING: Final = b'"' + _INSIDE + b'"'


def _nest(levels: int) -> bytes:
    """Return the pattern of an object or a list with so many levels in it."""
    inside = rb'(?:[^"{}\[\]]++|' + _STRING + (b"|" + _nest(levels - 1) if levels else b"") + b")*+"
    return rb"(?:\{" + inside + rb"\}|\[" + inside + rb"\])"


#: What nearly every element is, found in one step; where it is not, it is looked at bracket by bracket.
_USUAL: Final = re.compile(_nest(4), re.DOTALL)

#: What no bracket of the element's is: whole strings, and everything between strings and brackets.
_FLAT: Final = re.compile(rb'(?:[^"{}\[\]]++|' + _STRING + b")*+", re.DOTALL)
_IN_STRING: Final = re.compile(_INSIDE, re.DOTALL)
_BLANKS: Final = re.compile(rb"[ \t\r\n]*+")

#: A number, true, false, null, or something that is none of them.
_WORD: Final = re.compile(rb'[^\s,"{}\[\]]*+')

#: A line as JSON has them, whose end is between tokens and not in a string, and the blanks before the next.
_LINES: Final = re.compile(rb'((?:[^"\r\n]++|' + _STRING + rb")*+)(?:[\r\n][ \t\r\n]*+|\Z)", re.DOTALL)

_CLOSERS: Final = {b"{": b"}", b"[": b"]"}

#: Deeper than this it is not followed.
_DEEPEST: Final = 2**17


class JsonText:
    """The text of a file, taken from piece by piece, with a count of its lines."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._piece = b""
        self._at = 0
        self._line = 1

    def next(self) -> bytes:
        """Pass over blanks; return the byte after them, which stays; nothing at the end of the file."""
        while self._more():
            self._take(_BLANKS)
            if self._at < len(self._piece):
                return self._piece[self._at : self._at + 1]
        return b""

    def take_byte(self) -> bytes:
        """Take a byte; nothing at the end of the file."""
        if not self._more():
            return b""
        self._at += 1
        return self._piece[self._at - 1 : self._at]

    def element(self) -> Element:
        """Take an element."""
        first, line, kept = self.next(), self._line, _Kept()
        if usual := self._take(_USUAL):
            kept.add(usual)
        elif first in _CLOSERS:
            self._nested(kept, line)
        elif first == b'"':
            self._string(kept, line)
        else:
            while self._more() and (word := self._take(_WORD)):
                kept.add(word)
            if not kept.size:
                raise self.damage(first, "another element")
        return Element(line, kept.line(), kept.size)

    def damage(self, char: bytes, expected: str) -> Unreadable:
        """Return what is wrong where it is not as expected."""
        found = f'"{char.decode("ascii", "backslashreplace")}"' if char else "the end of the file"
        return Unreadable(
            f"is JSON over many lines, and is damaged in line {self._line}: found {found}, expected {expected};"
            " write it again, or as jsonl, one object a line."
        )

    def _nested(self, kept: "_Kept", begin: int) -> None:
        """Take an object or a list."""
        closers = bytearray()
        while True:
            while self._more() and (flat := self._take(_FLAT)):
                kept.add(flat)
            char = self._piece[self._at : self._at + 1]
            if char == b'"':  # its end is not in this piece
                self._string(kept, begin)
                continue
            if char in _CLOSERS and len(closers) < _DEEPEST:
                closers += _CLOSERS[char]
            elif closers[-1:] == char and char:
                closers.pop()
            else:
                raise self.damage(char, f'"{closers[-1:].decode()}" in the element that begins in line {begin}')
            kept.add(self.take_byte())
            if not closers:
                return

    def _string(self, kept: "_Kept", begin: int) -> None:
        kept.add(self.take_byte())
        while True:
            while self._more() and (inside := self._take(_IN_STRING)):
                kept.add(inside)
            char = self.take_byte()
            if not char:
                raise self.damage(b"", f"the end of a string in the element that begins in line {begin}")
            kept.add(char)
            if char == b'"':
                return
            self._line += (escaped := self.take_byte()) == b"\n"  # after a backslash at the end of a piece
            kept.add(escaped)

    def _more(self) -> bool:
        """Tell whether there is more, and have it at hand."""
        if self._at == len(self._piece):
            self._piece, self._at = self._file.read(_PIECE), 0
        return bool(self._piece)

    def _take(self, pattern: re.Pattern[bytes]) -> bytes:
        """Take what matches; nothing where the end of the piece, or another byte, comes first."""
        found = pattern.match(self._piece, self._at)
        if found is None:
            return b""
        self._line += self._piece.count(b"\n", self._at, found.end())
        self._at = found.end()
        return found[0]


class _Kept:
    """The text of an element, while it is taken; of one that is too long, the beginning."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def add(self, part: bytes) -> None:
        """Add a part."""
        if self.size <= LONGEST_LINE:
            self._parts.append(part)
            if self.size + len(part) > LONGEST_LINE:
                self._parts = [b"".join(self._parts)[:BEGINNING]]
        self.size += len(part)

    def line(self) -> bytes:
        """Return the text on one line: what ended lines between its tokens is a blank."""
        text = b"".join(self._parts)
        if b"\n" in text or b"\r" in text:
            return _LINES.sub(rb"\1 ", text).rstrip()
        return text
