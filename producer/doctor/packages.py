"""The Python packages: whether those are installed that this machine needs, in versions that were tried."""

import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Final

from packaging.requirements import Requirement

from producer.doctor.finding import Finding, Role, broken, note, well
from worker.contract.version import own_version

_PROJECT: Final = "bulk-image-editor"

#: Packages of the worker's extra that decide what a picture becomes.
_TELLING: Final = ("torch", "diffusers", "transformers")

#: What each role needs beside the base install.
_EXTRAS: Final = {Role.RUN: ("worker",), Role.SUBMIT: (), Role.WORKER: ("worker",)}


def installed(name: str) -> str | None:
    """Return the version of a package, read without importing it; None where it is not here."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def look_at_packages(role: Role) -> Iterator[Finding]:
    """Compare what is installed with what the project asks for."""
    try:
        asked = [Requirement(line) for line in requires(_PROJECT) or ()]
    except PackageNotFoundError:
        yield note("packages", f"{_PROJECT} is not installed but run from a folder", "pip install it, with its extras")
        return
    extras = _EXTRAS[role]
    yield packages_found(asked, extras)
    yield from _others(asked, extras)


def packages_found(asked: Iterable[Requirement], extras: Iterable[str]) -> Finding:
    """Say what is missing, or not as asked for, of the base install and of some extras."""
    needed = [one for one in asked if any(_applies(one, extra) for extra in ("", *extras))]
    lacking = [(one, has) for one in needed if not _fits(one, has := installed(one.name))]
    if lacking:
        missing = [one.name for one, has in lacking if has is None]
        other = [f"{one.name} {has} (needs {one.specifier})" for one, has in lacking if has is not None]
        listed = ", ".join([*other, *([f"not installed: {', '.join(missing)}"] if missing else [])])
        named = f"[{','.join(extras)}]" if extras else ""
        return broken("packages", listed, f"pip install -c constraints.txt '.{named}' in the project's folder")
    telling = ", ".join(f"{name} {has}" for name in _TELLING if (has := installed(name)))
    python = ".".join(map(str, sys.version_info[:3]))
    also = f"; {telling}" if telling else ""
    return well("packages", f"{_PROJECT} {own_version()}, Python {python}, {len(needed)} packages as asked for{also}")


def _others(asked: Iterable[Requirement], extras: Iterable[str]) -> Iterator[Finding]:
    """Say what files cannot be read here; each of these extras is one package that a user chooses."""
    for extra, what in (("tables", "parquet"), ("heif", "HEIC pictures"), ("storage", "URLs")):
        own = [one for one in asked if _applies(one, extra) and not _applies(one, "")]
        if extra not in extras and not all(_fits(one, installed(one.name)) for one in own):
            yield note("packages", f"{what} cannot be read here", f"pip install '.[{extra}]' if rows need it")


def _applies(one: Requirement, extra: str) -> bool:
    return one.marker is None or one.marker.evaluate({"extra": extra})


def _fits(one: Requirement, has: str | None) -> bool:
    return has is not None and one.specifier.contains(has, prereleases=True)
