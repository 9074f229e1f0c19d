"""Contact sheets: pictures in rows, with words above them; as a command, the pictures of a run beside their inputs.

`python -m worker.models.demo.sheet OUTPUT.jsonl SHEET.jpg --images FOLDER`
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

import click
from PIL import Image, ImageDraw, ImageFont, ImageOps

#: Inputs and outputs side by side.
_PAIRS: Final = 2

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


@click.command()
@click.argument("output", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("sheet", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--images", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
def main(output: Path, sheet: Path, images: Path) -> None:
    """Show the edited pictures of OUTPUT, a finished run's, beside those in --images that they were made from.

    The paths of edited pictures begin where the run did: call it from the same folder.
    """
    try:
        rows = [fields for line in output.read_text().splitlines() if (fields := json.loads(line)).get("output_image")]
        if not rows:
            raise click.UsageError(f"{output} names no edited picture.")
        _page(rows, images).save(sheet, quality=90)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"No sheet of {output} can be made: {error}") from None
    click.echo(f"{sheet} shows all of them")


def _page(rows: Sequence[dict[str, Any]], images: Path) -> Image.Image:
    page = Sheet(2 * _PAIRS, -(-len(rows) // _PAIRS), side=200)
    for number, fields in enumerate(rows):
        column, row = 2 * (number % _PAIRS), number // _PAIRS
        given = fields["images"]
        page.put(column, row, Image.open(images / (given if isinstance(given, str) else given[0])), "")
        edited = Image.open(fields["output_image"][0])
        # What the worker was told, whatever the row's conversation looks like.
        page.put(column + 1, row, edited, str(edited.info.get("fleet:instruction", "")))
    return page.image


if __name__ == "__main__":
    main()
