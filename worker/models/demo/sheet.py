"""The contact sheet of a model card: pictures in rows, with words above them."""

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

#: Pixels between pictures.
_GAP: Final = 4


class Sheet:
    """Cells of one size in rows, each a picture with up to two lines of text above it."""

    def __init__(self, columns: int, rows: int, *, side: int, text: int = 13) -> None:
        """Make an empty sheet; `side` of a cell's picture and height of `text` in pixels."""
        self._side = side
        self._head = 2 * text + 6
        self._font = ImageFont.load_default(size=text)
        self._letters = max(1, int(side / (0.52 * text)))
        size = columns * (side + _GAP) + _GAP, rows * (side + self._head + _GAP) + _GAP
        self.image = Image.new("RGB", size, "white")

    def put(self, column: int, row: int, picture: Image.Image, text: str) -> None:
        """Put a picture into a cell, whole."""
        left, top = _GAP + column * (self._side + _GAP), _GAP + row * (self._side + self._head + _GAP)
        lines = wrap(text, self._letters)[:2]
        ImageDraw.Draw(self.image).multiline_text(
            (left, top), "\n".join(lines), fill="black", font=self._font, spacing=2
        )
        fitted = ImageOps.contain(picture.convert("RGB"), (self._side, self._side), Image.Resampling.LANCZOS)
        space = ((self._side - fitted.width) // 2, (self._side - fitted.height) // 2)
        self.image.paste(fitted, (left + space[0], top + self._head + space[1]))


def grid(names: Sequence[str], rows: Iterable[Sequence[Image.Image]], *, side: int = 128) -> Image.Image:
    """Make a sheet with a name above each column of the first row."""
    all_rows = list(rows)
    sheet = Sheet(len(names), len(all_rows), side=side)
    for row, pictures in enumerate(all_rows):
        for column, picture in enumerate(pictures):
            sheet.put(column, row, picture, names[column] if row == 0 else "")
    return sheet.image
