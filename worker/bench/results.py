"""What was measured, and what was not."""

import statistics
from dataclasses import dataclass, field

from PIL import Image

from worker.bench.arithmetic import Rates
from worker.bench.measuring import Timing
from worker.bench.sizes import Shape
from worker.contract.work import Network, Tokens

NOT_MEASURED = "not measured"

#: Its noise is another, so that no pictures of it are made, which would be compared.
PLAIN = "plain diffusers"


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
    #: Of the transformer in each step.
    passes: int = 1
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
        """Return the operations per second of a step after the first, and its least seconds over those it took."""
        if self.network is None or self.rates is None:
            return float("nan"), float("nan")
        done = self.network.later(_tokens(self.network, shape))
        each = shape.images * self.passes / timing.step
        return each * done.all, each * self.rates.floor(done, fp8=self.fp8)

    @property
    def floor(self) -> float | None:
        """Least seconds of an image at the first resolution, were every step computed and nothing else done."""
        if self.network is None or self.rates is None:
            return None
        tokens = _tokens(self.network, self.first)
        first, later = (
            self.rates.floor(done, fp8=self.fp8) for done in (self.network.first(tokens), self.network.later(tokens))
        )
        return self.passes * (first + (self.steps - 1) * later)

    def work(self, shape: Shape) -> float:
        """Return the operations of a step of a call, the first, which has no fewer than the others."""
        if self.network is None:
            return 0.0
        return shape.images * self.passes * self.network.first(_tokens(self.network, shape)).all


def _tokens(network: Network, shape: Shape) -> Tokens:
    return network.tokens(shape.bucket, [shape.bucket])
