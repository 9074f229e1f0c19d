"""Parsing one row, as the producer does it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from producer.rows.lines import Line
from producer.rows.parser import Row, RowParser
from worker.settings.fleet import load_settings

#: What DataFlow's guide shows.
ROW: dict[str, Any] = {"images": "a.png", "conversations": [{"role": "user", "content": "Change the vase to red."}]}


def parse(
    row: dict[str, Any] | str,
    *,
    folder: Path = Path("/data"),
    number: int = 3,
    place: int = 1,
    problem: str | None = None,
    seed_of: Callable[[int], int | None] = lambda _: None,
    **given: Any,
) -> Row:
    """Parse one line of `/data/input.jsonl`: by default its third, and its second row."""
    settings = load_settings(**{"diffuser_model_name": "demo", **given})
    parser = RowParser(settings, run="0" * 16, base=folder, run_dir=Path("/run"), seed_of=seed_of)
    text = row if isinstance(row, str) else json.dumps(row)
    return parser.parse(Line(row=place, number=number, text=text, problem=problem))
