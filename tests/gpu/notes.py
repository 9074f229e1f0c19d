"""What a part finds, in a file from the first number on: whoever is cut off has it so far. No torch."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import Any

#: How a part ends by itself, and by whoever began it.
DONE, REFUSED, FAILED, BEGUN = "done", "cannot be done here", "failed", "begun"
LATE, BROKEN_OFF, NO_TIME = "ended at its limit", "broken off", "no time left"


class Refused(Exception):  # noqa: N818 - no error of anybody's
    """A part cannot be done on this machine: one sentence that says why."""


class Notes:
    """The results of one part."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._path = folder / f"{name}.json"
        self._found: dict[str, Any] = {
            "part": name, "state": BEGUN, "reason": None, "seconds": None, "headline": None,
            "facts": {}, "tables": [], "texts": [], "kept": {},
        }  # fmt: skip
        self._save()

    def fact(self, name: str, value: object) -> None:
        """Note one thing."""
        self._found["facts"][name] = value if isinstance(value, int | float | bool | None) else str(value)
        self._save()

    def headline(self, text: str) -> None:
        """Note what the report's first table says of this part."""
        self._found["headline"] = text
        self._save()

    def table(self, title: str, head: Sequence[str], rows: Iterable[Sequence[object]] = ()) -> "Table":
        """Begin a table; its rows may come later."""
        table = {"title": title, "head": [*head], "rows": [[*map(str, row)] for row in rows]}
        self._found["tables"].append(table)
        self._save()
        return Table(table["rows"], self)

    def text(self, markdown: str) -> None:
        """Note what is Markdown already."""
        self._found["texts"].append(markdown)
        self._save()

    def keep(self, name: str, value: object) -> None:
        """Note what is for programs to read, and stands in no report."""
        self._found["kept"][name] = value
        self._save()

    def end(self, state: str, reason: str | None = None) -> None:
        """Note how it ended."""
        self._found |= {"state": state, "reason": reason}
        self._save()

    def _save(self) -> None:
        write_whole(self._path, json.dumps(self._found, indent=2) + "\n")


class Table:
    """A table whose rows come one by one."""

    def __init__(self, rows: list[list[str]], notes: Notes) -> None:
        self._rows = rows
        self._notes = notes

    def row(self, *cells: object) -> None:
        """Add a row."""
        self._rows.append([*map(str, cells)])
        self._notes._save()  # noqa: SLF001 - of the same room


def read(folder: Path, name: str) -> dict[str, Any] | None:
    """Return what a part noted; None where it has not begun."""
    try:
        found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    except FileNotFoundError:
        return None
    return found


def amend(folder: Path, name: str, **facts: object) -> dict[str, Any]:
    """Change what a part noted, once its process has ended; return it."""
    if read(folder, name) is None:
        Notes(folder, name)
    found = (read(folder, name) or {}) | facts
    write_whole(folder / f"{name}.json", json.dumps(found, indent=2) + "\n")
    return found


@contextmanager
def logs_kept(folder: Path, name: str) -> Iterator[Path]:
    """Make a folder for a part's work; of what it leaves there only logs stay, among the results."""
    with TemporaryDirectory() as work:
        try:
            yield Path(work)
        finally:
            for log in Path(work).glob("*.log"):
                copy(log, folder / f"{name}.{log.name}")


def write_whole(path: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.replace(path)
