"""A worker that was started on this machine, and what its log says of it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from producer.local.logs import Said, said_in


@dataclass(frozen=True, kw_only=True)
class StartedWorker:
    """One worker of one run."""

    #: Its place among the workers of this run, from 0.
    number: int
    name: str
    #: CUDA's id of its GPU; empty for the CPU.
    device: str
    log: Path
    #: Where this process's part of the log begins, in bytes.
    begin: int
    process: subprocess.Popen[bytes]
    #: Whether one before it had been ready.
    again: bool

    @property
    def was_ready(self) -> bool:
        """Whether it has loaded its model."""
        return any(said.text.endswith(" ready.") for said in self._lines())

    @property
    def was_drained(self) -> bool:
        """Whether it has ended since somebody drained it."""
        return self.process.returncode == 0 and any(said.text.startswith("drained: ") for said in self._lines())

    @property
    def doing(self) -> str:
        """What it is doing while it starts, by what it has said last."""
        said = [said.text for said in self._lines() if said.text]
        # Its first words, after which it imports torch, tell who it is, and are nothing to wait for.
        return said[-1] if len(said) > 1 else "loading libraries" if said else "starting"

    @property
    def last_word(self) -> str:
        """Why it has ended, in its own words."""
        critical = [said.text for said in self._lines() if said.is_critical]
        return f"{critical[-1]} (log: {self.log})" if critical else f"see {self.log}."

    def _lines(self) -> list[Said]:
        with self.log.open("rb") as file:
            file.seek(self.begin)
            return [said_in(line) for line in file.read().decode(errors="replace").splitlines()]
