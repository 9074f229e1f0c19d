"""A row's pictures as the page shows them: small ones in its own folder, and links to the results."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from producer.gallery.entries import Entry
from producer.gallery.reading import Reader
from producer.gallery.thumbnails import Thumbnails
from producer.run.records import State
from worker.pictures.confine import Limits
from worker.pictures.places.choosing import place_of


class Pictures:
    """Finds and makes the pictures of rows."""

    def __init__(self, folder: Path, page: str, reader: Reader) -> None:
        """`page` is the name of the page's folder in the run folder `folder`."""
        self._folder = folder
        settings = reader.settings
        self._place = place_of(settings.pictures or str(folder.absolute()))
        #: Whether the page's browser reaches the results: at an object store there are no links to them.
        self._is_beside = settings.pictures is None
        limits = Limits(max_pixels=settings.max_pixels, allow_urls=settings.allow_urls or ())
        self._small = Thumbnails(folder / page, limits)
        # A data set's own columns begin there; those of an output, where the command ran that wrote it.
        self._beside = (reader.source.base, Path.cwd())

    def added_to(self, entry: Entry) -> dict[str, Any]:
        """Return what the page is told of a row, with its pictures; those that are not there are left out."""
        facts = dict(entry.facts)
        if entry.images and (before := self._small.before(entry.images, entry.digests)):
            facts["before"] = before
        shown = self._kept(entry.results) if entry.state is State.KEPT else self._made(entry)
        if shown:
            facts["after"] = shown
        return facts

    def used_by(self, rows: Iterable[dict[str, Any]]) -> set[str]:
        """Return the small pictures of rows."""
        named = {row["before"] for row in rows if "before" in row}
        return named | {one["small"] for row in rows for one in row.get("after", ())}

    def drop_others(self, used: set[str]) -> None:
        """Remove small pictures that no row has."""
        self._small.drop_others(used)

    def _made(self, entry: Entry) -> list[dict[str, Any]]:
        """Return what the row became, and then, each with its turn, what it was on the way."""
        paths, images = (*entry.results, *entry.earlier), len(entry.results)
        named = [(path, self._small.after(self._place.name(path), path, entry.answer)) for path in paths]
        turns = [None] * images + [1 + place // images for place in range(len(entry.earlier))]
        shown = [(self._result(small, path), turn) for (path, small), turn in zip(named, turns, strict=True) if small]
        return [result if turn is None else {**result, "turn": turn} for result, turn in shown]

    def _result(self, small: str, path: str) -> dict[str, Any]:
        return _result(small, path) if self._is_beside else {"small": small}

    def _kept(self, paths: Iterable[str]) -> list[dict[str, Any]]:
        places = ([folder / path for folder in self._beside] for path in paths)
        found = [next((place for place in some if _is_file(place)), None) for some in places]
        named = [(os.path.relpath(path, self._folder), self._small.found(path)) for path in found if path is not None]
        return [_result(small, path) for path, small in named if small]


def _result(small: str, path: str) -> dict[str, Any]:
    """Return a result for the page: its small picture and, where it lies in the run folder, where it is from there."""
    inside = not os.path.normpath(path).startswith(("..", "/"))
    return {"small": small, **({"full": f"../{quote(path)}"} if inside else {})}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False
