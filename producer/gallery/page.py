"""The files of the page: ours, and the data, each written whole or not at all."""

import hashlib
import time
from collections.abc import Container, Iterable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from producer.gallery.script import script
from worker.contract.errors import RunError

#: What the browser opens, in the page's folder.
INDEX: Final = "index.html"

#: By this a page of ours is known: nobody else's file is overwritten.
_MARK: Final = '<meta name="generator" content="bulk-image-editor">'

_DATA, _PARTS = "data", "page"

_RUN, _ROWS = "run.js", "rows-{}.js"

#: Seconds after which a file that no page has is of no use to anybody.
_OLD: Final = 600


class Page:
    """The page in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Put the page there, without data.

        Raises:
            RunError: something that is no page of ours is in its place.

        """
        index = self.folder / INDEX
        if index.exists() and _MARK not in index.read_text(encoding="utf-8", errors="replace"):
            raise RunError(f"{index} is no page of this command; move it away, or rename it.")
        for name in (_DATA, _PARTS):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for part in sorted(files("producer.gallery").joinpath("page").iterdir(), key=lambda part: part.name):
            place = self.folder if part.name == INDEX else self.folder / _PARTS
            write(place / part.name, part.read_text(encoding="utf-8"))

    def write_rows(self, number: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Write a chunk of rows; return what the page needs to know to load it."""
        name = _ROWS.format(number)
        text = script("rows", name, rows)
        write(self.folder / _DATA / name, text)
        return {"name": name, "rows": len(rows), "digest": hashlib.sha256(text.encode()).hexdigest()[:16]}

    def write_run(self, facts: dict[str, Any]) -> None:
        """Write what the page says of the run, and which chunks there are."""
        write(self.folder / _DATA / _RUN, script("run", facts))

    def drop_others(self, chunks: Iterable[dict[str, Any]]) -> None:
        """Remove chunks of an earlier page."""
        remove_old((self.folder / _DATA).iterdir(), {_RUN, *(chunk["name"] for chunk in chunks)})
        remove_old(self.folder.glob(".*"), ())


def remove_old(paths: Iterable[Path], names: Container[str]) -> None:
    """Remove files that have none of the names; not what is new, since somebody else may just be making the page."""
    for path in paths:
        if path.name not in names:
            with suppress(OSError):
                if path.stat().st_mtime < time.time() - _OLD:
                    path.unlink()


def write(path: Path, text: str) -> None:
    """Write a text under another name, and rename it: a browser may read it at any time."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
