"""Cells below each other, as plain text that any terminal, file or pipe takes."""

from collections.abc import Sequence


def percent(share: float) -> str:
    """Write a share of 0 to 1: to the percent, and a small one to its first digits."""
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"  # noqa: PLR2004 - two digits either way


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
