"""What the doctor says: one finding per thing looked at, and what a machine is looked at for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Role(StrEnum):
    """What a machine is for, on which it depends what is broken there."""

    #: Everything: `producer run`.
    RUN = "run"
    #: Sending rows and collecting outcomes; other machines edit.
    SUBMIT = "submit"
    #: Editing: `celery -A worker worker`.
    WORKER = "worker"

    @property
    def edits(self) -> bool:
        """Whether the model runs there."""
        return self is not Role.SUBMIT


class Verdict(StrEnum):
    """What a finding means."""

    OK = "ok"
    #: It works, and there is something to know.
    NOTE = "note"
    #: What the machine is for does not work.
    BROKEN = "broken"


#: Columns that the first two words of a line take.
_VERDICT: Final = 7
_ABOUT: Final = 12


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    about: str
    verdict: Verdict
    #: What is, without a full stop.
    found: str
    #: What to do about it; None where there is nothing to do.
    remedy: str | None = None

    def as_text(self) -> str:
        """Return it as one line."""
        sentence = f"{self.found}; {self.remedy}" if self.remedy else self.found
        return f"{self.verdict:<{_VERDICT}} {self.about:<{_ABOUT}} {sentence}."

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"about": self.about, "verdict": self.verdict.value, "found": self.found, "remedy": self.remedy}


def in_bytes(size: float) -> str:
    """Say how much a file or a disk holds."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"  # noqa: PLR2004


def well(about: str, found: str) -> Finding:
    """Return the finding that all is well."""
    return Finding(about=about, verdict=Verdict.OK, found=found)


def note(about: str, found: str, remedy: str | None = None) -> Finding:
    """Return the finding of something to know."""
    return Finding(about=about, verdict=Verdict.NOTE, found=found, remedy=remedy)


def broken(about: str, found: str, remedy: str | None = None) -> Finding:
    """Return the finding of something that does not work."""
    return Finding(about=about, verdict=Verdict.BROKEN, found=found, remedy=remedy)
