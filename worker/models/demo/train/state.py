"""How far a training is: kept in one file, so that it goes on where it was interrupted."""

import os
import time
from collections.abc import Iterator
from math import cos, pi
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from torch.optim import Optimizer

from worker.contract.errors import ModelError

#: Steps between two savings; at most so many are done again.
INTERVAL: Final = 100


class Progress:
    """The steps of one training, with the learning rate of each: a warm-up, then half a cosine to zero.

    What a step draws must follow from its number alone, or a training that was interrupted learns something else.
    """

    def __init__(
        self, file: Path, parts: dict[str, nn.Module | Optimizer], *, steps: int, rate: float, **of: int | str
    ) -> None:
        """Take up the training that `file` tells of, or begin it; `of` is what else makes it this one: its seed, say.

        Raises:
            ModelError: the file is broken, or tells of another training.

        """
        #: Keeps what was reached.
        self.file = file
        self._parts: dict[str, Any] = parts
        self._steps = steps
        self._rate = rate
        self._done = 0
        self._begun = time.monotonic()
        self._plan = {"steps": steps, "rate": rate, **of}
        if file.is_file():
            self._take_up(load(file))

    def _take_up(self, saved: dict[str, Any]) -> None:
        other = f"{self.file} is of another training than this one; delete it, or name another --work."
        if saved.pop("plan", None) != self._plan:
            raise ModelError(other)
        self._done = saved.pop("done")
        self._begun -= saved.pop("seconds")
        try:
            for name, state in saved.items():
                self._parts[name].load_state_dict(state)
        except (RuntimeError, ValueError):  # other words make other text encoders
            raise ModelError(other) from None

    def __iter__(self) -> Iterator[int]:
        """Yield the numbers of the steps that are left; every so many, and after the last, keep what was reached."""
        while self._done < self._steps:
            self._set_rate()
            yield self._done
            self._done += 1
            if self._done % INTERVAL == 0 or self._done == self._steps:
                self._save()

    def seconds(self) -> float:
        """Return how long it has trained, over all interruptions."""
        return time.monotonic() - self._begun

    def _set_rate(self) -> None:
        warm = min(1.0, (self._done + 1) / min(200, self._steps / 10))
        rate = self._rate * warm * (1 + cos(pi * self._done / self._steps)) / 2
        for part in self._parts.values():
            for group in part.param_groups if isinstance(part, Optimizer) else ():
                group["lr"] = rate

    def _save(self) -> None:
        parts = {name: part.state_dict() for name, part in self._parts.items()}
        save({"plan": self._plan, "done": self._done, "seconds": self.seconds(), **parts}, self.file)


def save(what: dict[str, Any], file: Path) -> None:
    """Write tensors and plain values such that the file is always whole, also after a power cut."""
    beside = file.with_suffix(".new")
    with beside.open("wb") as opened:
        torch.save(what, opened)
        opened.flush()
        os.fsync(opened.fileno())
    beside.replace(file)


def load(file: Path) -> dict[str, Any]:
    """Read what `save` wrote, onto the host.

    Raises:
        ModelError: the file is broken.

    """
    try:
        found: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # torch raises whatever it likes
        raise ModelError(f"{file} is broken ({type(error).__name__}); delete it, and it is made again.") from None
    return found


def generator_of(*numbers: int) -> torch.Generator:
    """Return a generator that depends on these numbers alone, so that a resumed step draws what it would have drawn."""
    seed = 0
    for number in numbers:
        seed = (seed * 1_000_003 + number) % 2**63
    return torch.Generator().manual_seed(seed)
