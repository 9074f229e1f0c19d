"""What the pages tell users to type: each ```console block of a page, and the mark before it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.place import PROJECT

#: Every page that tells users what to type.
PAGES: Final = [PROJECT / "README.md", PROJECT / "BENCHMARKS.md", *sorted((PROJECT / "docs").rglob("*.md"))]

_BLOCK: Final = re.compile(r"(?:<!-- (?P<mark>.*?) -->\n)?(?P<indent> *)```console\n(?P<text>.*?)\n *```\n", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Console:
    """One block."""

    page: Path
    #: The line of the page at which it begins, from 1.
    number: int
    #: What the page says of its being run; empty where it says nothing.
    mark: str
    text: str

    @property
    def name(self) -> str:
        """Name it for a person."""
        return f"{self.page.relative_to(PROJECT)}:{self.number}"

    @property
    def typed(self) -> list[str]:
        """Return the lines that the user types, without the prompt; those that go on after a backslash as one."""
        joined = re.sub(r"\\\n\s*", "", self.text)
        return [line.strip().removeprefix("$ ") for line in joined.splitlines() if line.strip().startswith("$ ")]

    @property
    def shown(self) -> list[str]:
        """Return the lines that the user sees."""
        joined = re.sub(r"\\\n\s*", "", self.text)
        lines = (line.strip() for line in joined.splitlines())
        return [line for line in lines if line and not line.startswith(("$ ", "#"))]


def consoles(page: Path) -> Iterator[Console]:
    """Yield each block of a page."""
    text = page.read_text("utf-8")
    for found in _BLOCK.finditer(text):
        yield Console(
            page=page,
            number=text.count("\n", 0, found.start()) + 1,
            mark=found["mark"] or "",
            text=found["text"],
        )
