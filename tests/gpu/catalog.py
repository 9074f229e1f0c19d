"""Which parts there are, in the order of what is learned per second; no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is measured in a process of its own."""

    name: str
    #: For whoever reads the list.
    what: str
    #: Seconds that it should take on an H100, the imports among them: estimates, until one was measured.
    seconds: int
    #: GiB of the GPU's memory that must be free at the real size.
    gigabytes: int = 0
    #: Whether it is nothing without compiled kernels.
    is_compiled: bool = False
    #: Whether it takes a GPU's time at the tiny size, too.
    is_always_long: bool = False
    #: Where its `measure` is.
    module: str = ""

    @property
    def entry(self) -> str:
        """The module of its `measure`."""
        return self.module or f"tests.gpu.parts.{self.name}"

    @property
    def limit(self) -> float:
        """Seconds after which it is ended."""
        return 30 + 2.0 * self.seconds


PARTS: Final = (
    # First and alone: an illegal access, which torch has known at such shapes (pytorch#133334), ends the process.
    Part(name="fp8", what="row-wise fp8 products whose rows are no multiple of 16", seconds=20, gigabytes=4),
    Part(name="packages", what="all that the other parts import", seconds=15),
    Part(name="card", what="the card, its versions and its ceilings: products, attention by backend", seconds=30,
         gigabytes=8),
    Part(name="bench", what="seconds per image at the square resolution, one at a time", seconds=220, gigabytes=45),
    Part(name="profile", what="one step of each profile, kernel by kernel", seconds=90, gigabytes=40),
    Part(name="width", what="rows permuted at the real width, bit by bit", seconds=110, gigabytes=24,
         is_always_long=True),
    Part(name="correctness", what="the models' tests, not compiled: rows, fp8, steps, memory that runs out",
         seconds=100, gigabytes=8, is_always_long=True),
    Part(name="fleet", what="a real worker with Redis: what the fleet adds, busy share", seconds=120, gigabytes=45),
    Part(name="odd", what="resolutions whose tokens are no multiple of 16", seconds=170, gigabytes=45),
    Part(name="batches", what="batches at 512x512 and 768x768", seconds=200, gigabytes=50),
    Part(name="levers", what="what the compiler can be told: seconds of two blocks, and their distance from eager",
         seconds=130, gigabytes=12, is_compiled=True, is_always_long=True),
    Part(name="loading", what="from disk onto the device, GB/s", seconds=50, gigabytes=12),
    Part(name="compiled", what="the models' tests, compiled: exact against reference, rows, true CFG", seconds=240,
         gigabytes=8, is_compiled=True, is_always_long=True),
    Part(name="starting", what="a worker's cold and warm start", seconds=150, gigabytes=45),
)  # fmt: skip


def named(names: Sequence[str], parts: Sequence[Part] = PARTS) -> list[Part]:
    """Return the parts of these names in their own order; without names all.

    Raises:
        ValueError: there is no such part.

    """
    known = {part.name for part in parts}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"there is no part {unknown[0]}; there are {', '.join(part.name for part in parts)}.")
    return [part for part in parts if not names or part.name in names]
