"""Cells below each other, as plain text that any terminal, file or pipe takes."""

from collections.abc import Sequence


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Put cells below each other, numbers to the right; the first line is the heads, and columns of nothing go."""
    columns = [column for column in zip(*lines, strict=True) if any(column[1:])]
    lines = [*zip(*columns, strict=True)]
    widths = [max(map(len, column)) for column in columns]
    right = [all(map(_is_number, column[1:])) for column in columns]
    return [
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    ]


def _is_number(cell: str) -> bool:
    digits = cell.removesuffix(" %").replace(",", "").replace(".", "", 1)
    return not cell or digits.isdigit()
