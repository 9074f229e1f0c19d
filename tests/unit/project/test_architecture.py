"""The map of the house names what is there, and every wing of it."""

import re

import pytest

from tests.support.place import PROJECT

MAP = (PROJECT / "docs/architecture.md").read_text()
#: What looks like a path: folders end with a slash.
PATHS = sorted(set(re.findall(r"`((?:producer|worker|tests|docs)/[\w/.]*)`", MAP)))
WINGS = sorted(
    str(path.parent.relative_to(PROJECT))
    for package in ("producer", "worker")
    for path in PROJECT.glob(f"{package}/*/__init__.py")
)


@pytest.mark.parametrize("path", PATHS)
def test_the_map_names_only_what_is_there(path: str) -> None:
    """Each path on the map is a file, or with a slash at its end a folder."""
    assert (PROJECT / path).is_dir() if path.endswith("/") else (PROJECT / path).is_file()


@pytest.mark.parametrize("wing", WINGS)
def test_every_wing_is_on_the_map(wing: str) -> None:
    """A newcomer finds each wing, or a room of it, on the map."""
    assert any(path.startswith(f"{wing}/") for path in PATHS)


@pytest.mark.parametrize("wing", WINGS)
def test_every_wing_says_what_it_is_for(wing: str) -> None:
    """A wing's own file opens with a sentence."""
    assert (PROJECT / wing / "__init__.py").read_text().startswith('"""')
