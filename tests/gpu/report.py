"""The report, made anew after each part from what all of them noted: one page of Markdown. No torch."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.gpu.catalog import Part
from tests.gpu.notes import read, write_whole


def write(folder: Path, head: Sequence[str], parts: Sequence[Part], left_out: Mapping[str, str]) -> str:
    """Write `report.md` into the folder of the results; return its first part, an overview.

    `left_out` says why parts did not begin, by name.
    """
    noted = {part.name: found for part in parts if (found := read(folder, part.name)) is not None}
    overview = "\n".join((*head, "", *_overview(parts, noted, left_out)))
    details = [section for part in parts if part.name in noted for section in _details(part, noted[part.name])]
    write_whole(folder / "report.md", "\n".join((overview, *details)) + "\n")
    return overview


def _overview(parts: Sequence[Part], noted: Mapping[str, Any], left_out: Mapping[str, str]) -> Iterator[str]:
    yield "| part | came to | s | found |"
    yield "| --- | --- | --- | --- |"
    for part in parts:
        found = noted.get(part.name)
        if found is None:
            yield _line((part.name, left_out.get(part.name, "not begun"), "", ""))
            continue
        said = [text for text in (found["headline"], found["reason"]) if text]
        took = "" if found["seconds"] is None else f"{found['seconds']:.0f}"
        yield _line((part.name, found["state"], took, "; ".join(said)))


def _details(part: Part, found: Mapping[str, Any]) -> Iterator[str]:
    yield f"\n## {part.name}: {part.what}"
    if found["facts"]:
        yield "\n| what | found |\n| --- | --- |"
        yield from (_line(pair) for pair in found["facts"].items())
    for table in found["tables"]:
        yield f"\n{table['title']}\n"
        yield _line(table["head"])
        yield _line(["---"] * len(table["head"]))
        yield from map(_line, table["rows"])
    for text in found["texts"]:
        yield f"\n{text.strip()}"


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in cells)} |"
