"""What the page says of one row: what the input and the ledger know of it."""

import json
import math
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from producer.rows.images import image_sources
from producer.rows.instructions import instructions
from producer.rows.parser import Row
from producer.run.records import Record, State
from worker.contract.errors import RowError
from worker.contract.inline_images import is_inline
from worker.contract.row_warnings import RowWarning, in_order
from worker.contract.urls import is_remote, shown
from worker.settings.fleet import Settings


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A finished row, before anything is known of its pictures."""

    row: int
    state: State
    #: What the page is told of it, as JSON.
    facts: dict[str, Any]
    #: Absolute paths, or `data:` URIs, of what it is made from; none where the row does not say.
    images: tuple[str, ...]
    #: SHA-256 of these as the worker read them, where one did.
    digests: tuple[str, ...]
    #: What it became: below the run folder, or (kept) whatever the row itself names.
    results: tuple[str, ...]
    #: What the turns before the last made of it, turn by turn, each as many as there are results.
    earlier: tuple[str, ...]
    #: What the ledger has of it: another one where it was edited again.
    answer: str


def entry_of(row: Row, record: Record, settings: Settings, base: str) -> Entry:
    """Put together what is known of a finished row; `base` is the folder in which its paths begin."""
    found: dict[str, Any] = json.loads(record.outcome) if record.outcome else {}
    images = _images(row, settings, base)
    kinds = {*row.warnings, *map(RowWarning, found.get("warnings", ()))}
    error = row.error or (found.get("error") and f"line {row.line.number}: {found['error']}")
    facts = {
        "row": row.line.row,
        "line": row.line.number,
        "state": record.state.name.lower(),
        "text": _instruction(row, settings),
        "image": ", ".join(_shown(image, base) for image in images),
        "error": error,
        "warnings": list(in_order(kinds)),
        "seconds": {stage: took for stage, took in found.get("seconds", {}).items() if math.isfinite(took)},
        **{name: found.get(name) for name in ("seed", "steps", "worker", "bucket", "batch_size")},
    }
    return Entry(
        row=row.line.row,
        state=record.state,
        facts={name: fact for name, fact in facts.items() if fact not in (None, "", [], {})},
        images=images,
        digests=tuple(found.get("source_digests", ())),
        results=_kept(row, settings) if record.state is State.KEPT else tuple(found.get("paths", ())),
        earlier=tuple(found.get("earlier_paths", ())),
        answer=record.outcome or "",
    )


def _nothing(_: object) -> None:
    pass


def _instruction(row: Row, settings: Settings) -> str:
    if row.request is not None:
        return "\n".join(row.request.prompts)
    # A row that failed or was left alone may have one all the same, and a line that is no row has its text.
    if row.fields is None:
        return row.line.text[:1000]
    with suppress(RowError):
        key = settings.input_conversation_key
        return "\n".join(instructions(row.fields, key, turns=settings.turns, warn=_nothing, keep_markup=True))
    return ""


def _images(row: Row, settings: Settings, base: str) -> tuple[str, ...]:
    if row.request is not None:
        return row.request.images
    if settings.image_gen_task == "text2image":  # what stands in that column may be what the row became
        return ()
    with suppress(RowError):
        key, every, hosts = settings.input_image_key, settings.multi_image != "first", settings.allow_urls or ()
        fields = row.fields or {}
        return tuple(image_sources(fields, key, base=base, every=every, hosts=hosts, warn=_nothing))
    return ()


def _kept(row: Row, settings: Settings) -> tuple[str, ...]:
    """Return the files that a row came with, as it names them."""
    value = (row.fields or {}).get(settings.output_image_key)
    values = value if isinstance(value, list) else [value]
    paths = [one.get("path") if isinstance(one, dict) else one for one in values]
    return tuple(path for path in paths if isinstance(path, str) and path.strip())


def _shown(image: str, base: str) -> str:
    if is_inline(image):
        return "a picture in the row itself"
    if is_remote(image):
        return shown(image)
    inside = image.startswith(base.rstrip("/") + "/")
    return os.path.relpath(image, base) if inside else image
