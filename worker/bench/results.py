"""What was measured, and what was not."""

import statistics
from dataclasses import dataclass, field

from PIL import Image

from worker.bench.arithmetic import Network, Rates
from worker.bench.measuring import Timing
from worker.bench.sizes import Shape

NOT_MEASURED = "not measured"


@dataclass(kw_only=True, slots=True)
class Measured:
    """One profile, or plain diffusers: filled bit by bit, so that what is known is kept whatever comes."""

    label: str
    #: Whether its blocks are compiled, and whether its linear layers multiply in fp8.
    compiled: bool
    fp8: bool
    #: Denoising steps of a picture, and those of them that are computed.
    steps: int
    computed: int
    #: What was asked for, and what came of it: a timing, or why there is none.
    rows: dict[Shape, Timing | str]
    network: Network | None = None
    attention: str | None = None
    rates: Rates | None = None
    #: Seconds of whole calls at the first shape, and what they made.
    whole: list[float] = field(default_factory=list)
    pictures: list[Image.Image] = field(default_factory=list)
    #: What broke it off.
    error: str | None = None

    @property
    def first(self) -> Shape:
        """The shape that whole calls are made at."""
        return next(iter(self.rows))

    @property
    def estimate(self) -> float | None:
        """Seconds that a whole call at the first shape should take, by the few steps."""
        timing = self.rows[self.first]
        return statistics.median(timing.calls(self.computed)) if isinstance(timing, Timing) else None

    def per_image(self, shape: Shape, timing: Timing) -> list[float]:
        """Return the seconds of an image, by each round."""
        return [seconds / shape.images for seconds in timing.calls(self.computed)]

    def reached(self, shape: Shape, timing: Timing) -> tuple[float, float]:
        """Return the operations per second of a step that is computed, and its least seconds over those it took."""
        if self.network is None or self.rates is None:
            return float("nan"), float("nan")
        tokens = shape.bucket.tokens
        done = shape.images * self.network.step(tokens)
        least = shape.images * self.network.floor(tokens, self.rates, fp8=self.fp8)
        return done / timing.step, least / timing.step

    @property
    def floor(self) -> float | None:
        """Least seconds of an image at the first resolution, were every step computed and nothing else done."""
        if self.network is None or self.rates is None:
            return None
        return self.steps * self.network.floor(self.first.bucket.tokens, self.rates, fp8=self.fp8)
