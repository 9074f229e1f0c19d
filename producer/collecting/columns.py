"""A row of the output: the input's own text, with our columns added last: images, error, warnings."""

import json
import os
import re
from collections.abc import Mapping
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final

from producer.collecting.details import DETAILS, are_details, details_of
from producer.rows.jsontext import encode, splice
from producer.rows.lines import Line
from producer.rows.parser import Row
from producer.run.records import Record
from worker.contract.counting import counted
from worker.contract.row_warnings import RowWarning, in_order
from worker.settings.fleet import Settings

_PLAIN: Final = re.compile(r"[\w .-]+")


class _Found(Enum):
    """What stands in a row where a column of ours belongs."""

    NOTHING = auto()
    #: What an earlier run of ours has written.
    OURS = auto()
    THEIRS = auto()


class Columns:
    """Writes rows of one output."""

    def __init__(self, settings: Settings, folder: Path, beside: Path) -> None:
        """Paths are shown below the run's `folder`, as the user named it, so that they hold where they ran the command.

        Where the user wants them relative, they begin in the output's own folder, `beside`. Pictures at an object store
        are shown by their URLs.
        """
        self._settings = settings
        self._place = settings.pictures or _folder(settings, folder, beside)
        self._ours = _in_quotes(settings)
        #: The first row of each kind of warning.
        self.first: dict[RowWarning, int] = {}
        #: Rows whose own column stands where a warning would, so that it is only counted.
        self.crowded_out = 0
        #: The same of details.
        self.crowded_details = 0

    def line(self, row: Row, record: Record | None) -> str:
        """Return a row's line, without its end."""
        found: dict[str, Any] = json.loads(record.outcome) if record and record.outcome else {}
        added: dict[str, Any] = {}
        if not row.kept:
            added[self._settings.output_image_key] = [self._shown(path) for path in found.get("paths", ())]
            if (error := row.error or _at_line(row.line, found)) is not None:
                added[self._settings.output_error_key] = error
        added |= self._warnings(row, found)
        added |= self._details(row, found)
        if row.fields is None or self._would_lose_an_error(row, added):
            return encode({"raw": row.line.text, **added})
        drop = self._replaced(row, added)
        return splice(row.line.text, drop=drop, add=added, known=row.fields) if drop else row.line.text

    def plain_line(self, line: Line, record: Record) -> str | None:
        """Return the line of an answered row that is as it was sent; None where it must be read to know.

        It must, where something in it may be a column of ours.
        """
        text = line.text
        if self._ours is None or "\\u" in text or any(name in text for name in self._ours):
            return None
        found: dict[str, Any] = json.loads(record.outcome or "{}")
        added: dict[str, Any] = {
            self._settings.output_image_key: [self._shown(path) for path in found.get("paths", ())]
        }
        if (error := _at_line(line, found)) is not None:
            added[self._settings.output_error_key] = error
        if self._settings.details and (details := details_of(found, self._shown)):
            added[DETAILS] = details
        return splice(text, drop=(), add=added, known=added)

    def sentences(self) -> list[str]:
        """Return what there is to say of the columns."""
        said = []
        key = self._settings.output_warning_key
        if self.first.keys() - {RowWarning.KEPT}:
            said.append(f"Each row names its warnings in its column {key}.")
        if self.crowded_out:
            said.append(f"{_crowded(self.crowded_out, key)}; --output-warning-key names another for their warnings.")
        if self.crowded_details:
            said.append(f"{_crowded(self.crowded_details, DETAILS)}.")
        return said

    def _shown(self, path: str) -> str:
        text = os.path.join(self._place, path)  # noqa: PTH118 - Path would drop the "./" of a relative one
        return text if self._settings.pictures or text.startswith(("/", "./", "../")) else f"./{text}"

    def _replaced(self, row: Row, added: Mapping[str, Any]) -> set[str]:
        """Name the user's fields that give way: namesakes, and what an earlier run of ours has written."""
        gone = set(added)
        if not row.kept and self._error_in(row) is _Found.OURS:
            gone.add(self._settings.output_error_key)
        if not row.kept and self._warnings_in(row) is _Found.OURS:
            gone.add(self._settings.output_warning_key)
        return gone

    def _error_in(self, row: Row) -> _Found:
        fields, settings = row.fields or {}, self._settings
        found = fields.get(settings.output_error_key)
        if found in (None, ""):
            return _Found.NOTHING
        # Only with the empty output beside it: a user's own text may begin like ours.
        is_ours = settings.output_image_key in fields and isinstance(found, str) and re.match(r"line \d+: ", found)
        return _Found.OURS if is_ours else _Found.THEIRS

    def _would_lose_an_error(self, row: Row, added: Mapping[str, Any]) -> bool:
        return self._settings.output_error_key in added and self._error_in(row) is _Found.THEIRS

    def _warnings(self, row: Row, found: Mapping[str, Any]) -> dict[str, list[RowWarning]]:
        kinds = {*row.warnings, *map(RowWarning, found.get("warnings", ()))}
        if not kinds:
            return {}
        for kind in kinds:
            self.first.setdefault(kind, row.line.row)
        there = self._warnings_in(row)
        if there is _Found.THEIRS:  # a warning is no reason to take something from a row
            self.crowded_out += 1
            return {}
        key = self._settings.output_warning_key
        if row.kept and there is _Found.OURS:  # what was said of the edit that it came with is still true
            kinds |= {*map(RowWarning, (row.fields or {})[key])}
        return {key: list(in_order(kinds))}

    def _details(self, row: Row, found: Mapping[str, Any]) -> dict[str, Any]:
        details = details_of(found, self._shown) if self._settings.details and not row.kept else {}
        if not details:
            return {}
        theirs = (row.fields or {}).get(DETAILS)
        if theirs is not None and not are_details(theirs):
            self.crowded_details += 1
            return {}
        return {DETAILS: details}

    def _warnings_in(self, row: Row) -> _Found:
        found = (row.fields or {}).get(self._settings.output_warning_key)
        if found in (None, "", []):
            return _Found.NOTHING
        known = {kind.value for kind in RowWarning}
        is_ours = isinstance(found, list) and all(isinstance(kind, str) and kind in known for kind in found)
        return _Found.OURS if is_ours else _Found.THEIRS


def _folder(settings: Settings, folder: Path, beside: Path) -> str:
    if settings.output_paths == "relative":
        return os.path.relpath(folder.resolve(), beside.resolve())
    return str(folder if settings.output_paths == "as-given" else folder.resolve())


def _at_line(line: Line, found: Mapping[str, Any]) -> str | None:
    """Return a worker's error as one of the input's: workers know rows, people know lines."""
    return f"line {line.number}: {found['error']}" if found.get("error") else None


def _in_quotes(settings: Settings) -> tuple[str, ...] | None:
    """Return the columns of ours as a row would name them; None where it might spell one otherwise."""
    keys = (settings.output_image_key, settings.output_error_key, settings.output_warning_key, DETAILS)
    # Of letters, digits and such there is one other spelling: as \\u and a number.
    return tuple(f'"{key}"' for key in keys) if all(map(_PLAIN.fullmatch, keys)) else None


def _crowded(rows: int, key: str) -> str:
    theirs = counted(rows, f"row has a column {key} of its own", f"rows have a column {key} of their own")
    return f"{theirs}, which stays"
