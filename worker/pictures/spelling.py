"""A file that is not there, looked for once more under other spellings of its name."""

import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import combinations, islice
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from worker.contract.errors import RowError, one_line
from worker.pictures.confine import confined

#: Most names of a folder that are compared; in a larger one, only a few spellings are tried.
_MOST_NAMES: Final = 10_000

#: Folders whose names are remembered.
_FOLDERS: Final = 4

#: Most characters of a name that are shown.
_LONGEST: Final = 100

_UNICODE: Final = "in the other Unicode form"
_CASE: Final = "with other letters in upper case"
_BLANK: Final = "blank"


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


#: What names may differ in, and what makes them the same again.
_DIFFERENCES: Final[dict[str, Callable[[str], str]]] = {_UNICODE: _nfc, _CASE: str.casefold, _BLANK: str.strip}

#: What whole paths may differ in, and what makes one of the other.
_REWRITTEN: Final[dict[str, Callable[[str], str]]] = {
    "": str,
    "with slashes instead of backslashes": lambda rest: rest.replace("\\", "/"),
    "without percent escapes": unquote,
    "with slashes instead of backslashes and without percent escapes": lambda rest: unquote(rest).replace("\\", "/"),
    "with percent escapes": quote,
}


class _Found(NamedTuple):
    path: Path
    #: In what it differs, in words.
    differences: frozenset[str]
    #: Whether there is no other that differs as little.
    only: bool


def look_again(path: Path, root: Path | None) -> Path:
    """Return the only file whose name differs from a missing one's in its Unicode form alone.

    Nothing out of `root` is looked at, where there is one.

    Raises:
        RowError: there is none; the sentence says which other spelling there is.

    """
    found = None
    with suppress(OSError, ValueError):  # what cannot be looked at is not there
        base, rest = _present(path, root)
        for rewriting, rewrite in _REWRITTEN.items():
            if rewriting and rewrite(rest) == rest:
                continue
            if (found := _walk(base, rewrite(rest), root)) is not None:
                break
    if found is None:
        windows = "; its name has backslashes, as paths of Windows do" if "\\" in str(path) else ""
        raise RowError(f"no such file{windows}")
    if not rewriting and found.only and found.differences == {_UNICODE}:
        return confined(found.path, root, "")
    said = " and ".join([*([rewriting] if rewriting else []), *sorted(found.differences)])
    shown = one_line(found.path.relative_to(base), _LONGEST)
    shown = f'"{shown}"' if " " in shown else shown  # where it ends is seen
    raise RowError(f"no such file; there is {shown}, {said}{'' if found.only else ' (one of several such)'}")


def _present(path: Path, root: Path | None) -> tuple[Path, str]:
    """Return the nearest folder of a path that is there, and the rest of the path."""
    for folder in path.parents:
        if folder.is_dir():
            if not _inside(folder, root):
                break
            return folder, str(path.relative_to(folder))
    raise FileNotFoundError


def _walk(base: Path, rest: str, root: Path | None) -> _Found | None:
    """Find a path below a folder, each name of it in whatever spelling is there."""
    differences: set[str] = set()
    only = True
    for name in rest.split("/"):
        if name in {"", ".", ".."}:
            return None
        spelt = name
        if not os.path.lexists(base / name):
            others = _other_names(base, name)
            if not others:
                return None
            spelt = min(others)
            differences |= others[spelt]
            only = only and len(others) == 1
        base /= spelt
        if not _inside(base, root):
            return None
    return _Found(base, frozenset(differences), only) if base.is_file() else None


def _other_names(folder: Path, name: str) -> dict[str, frozenset[str]]:
    """Return the names in a folder that differ least from one that is not there, each with what it differs in."""
    near = {form: found for form in _forms(name) if (found := _difference(name, form)) and (folder / form).exists()}
    if not near:
        names = _names(folder, folder.stat().st_mtime_ns).get(_key(name), ())
        near = {other: found for other in names if (found := _difference(name, other))}
    least = min(map(len, near.values()), default=0)
    return {other: found for other, found in near.items() if len(found) == least}


def _forms(name: str) -> Iterator[str]:
    """Return the likeliest other spellings of a name, each of which costs a look."""
    yield unicodedata.normalize("NFC", name)
    yield unicodedata.normalize("NFD", name)
    yield name.strip()
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - of a name alone
    yield from (stem + ending.swapcase(), name.lower(), name.upper())


def _difference(name: str, other: str) -> frozenset[str] | None:
    """Return in what two names differ, as few things as possible; None where it is more than a spelling, or nothing."""
    for count in range(1, len(_DIFFERENCES) + 1):
        for kinds in combinations(_DIFFERENCES, count):
            if _alike(name, kinds) == _alike(other, kinds) and name != other:
                blank = f"with{'out a' if len(name) > len(other) else ' a'} blank at an end"
                return frozenset(blank if kind == _BLANK else kind for kind in kinds)
    return None


def _alike(name: str, kinds: Sequence[str]) -> str:
    for kind in kinds:
        name = _DIFFERENCES[kind](name)
    return name


def _key(name: str) -> str:
    return _nfc(_nfc(name).casefold()).strip()


@lru_cache(_FOLDERS)
def _names(folder: Path, changed: int) -> dict[str, tuple[str, ...]]:
    """Return a folder's names by what they have in common with others; of a large one none, lest each row reads it."""
    del changed  # when it was, so that a folder is read again after that
    with os.scandir(folder) as entries:
        names = [entry.name for entry in islice(entries, _MOST_NAMES + 1)]
    found: dict[str, tuple[str, ...]] = {}
    for name in names if len(names) <= _MOST_NAMES else ():
        found[_key(name)] = (*found.get(_key(name), ()), name)
    return found


def _inside(path: Path, root: Path | None) -> bool:
    try:
        confined(path, root, "")
    except RowError:
        return False
    return True
