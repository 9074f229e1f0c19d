"""What nvidia-smi says of the cards; no torch, which takes ten seconds to say less."""

import shutil
import subprocess
from dataclasses import dataclass
from typing import Final

#: As nvidia-smi names them, in the order of the fields below.
_ASKED: Final = (
    "name",
    "driver_version",
    "memory.total",
    "memory.used",
    "utilization.gpu",
    "power.limit",
    "temperature.gpu",
)

#: MiB and percent up to which a card is idle: a driver keeps some memory for itself.
_IDLE_MEMORY: Final = 1024
_IDLE_SHARE: Final = 10


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU; memory in MiB, its use in percent, as it was just now."""

    name: str
    driver: str
    total: float
    used: float
    busy: float
    #: Watts and degrees, as nvidia-smi writes them.
    watts: str
    degrees: str

    def __str__(self) -> str:
        return (
            f"{self.name}, {self.total / 1024:.0f} GiB, driver {self.driver}, {self.watts} W at most, {self.degrees} °C"
        )

    @property
    def trouble(self) -> str | None:
        """Say that it is in use, if so."""
        if self.used <= _IDLE_MEMORY and self.busy <= _IDLE_SHARE:
            return None
        return (
            f"The card is in use: {self.used / 1024:.1f} of {self.total / 1024:.1f} GiB are taken and it is"
            f" {self.busy:.0f} % busy, so figures are worse than its own; end what else runs on it."
        )


def first_card(tool: str | None = None) -> Card | None:
    """Return the first card; None where there is none, or where nobody can tell."""
    if (tool := tool or shutil.which("nvidia-smi")) is None:
        return None
    asked = [tool, f"--query-gpu={','.join(_ASKED)}", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    fields = [field.strip() for field in (said.splitlines() or [""])[0].split(",")]
    return None if len(fields) != len(_ASKED) else _read(fields)


def _read(fields: list[str]) -> Card:
    total, used, busy = map(_number, fields[2:5])
    return Card(fields[0], fields[1], total, used, busy, fields[5], fields[6])


def _number(text: str) -> float:
    """Read a number; where it says [N/A], as of a part of a card, none is known."""
    try:
        return float(text)
    except ValueError:
        return 0.0
