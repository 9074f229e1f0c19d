"""The transformer's arithmetic, pure: floating-point operations of a step, and the least time that they take."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """What a device reaches in large matrix products. In operations per second."""

    #: In the type that the model runs in: bf16 on a GPU, fp32 on a CPU.
    plain: float
    #: In fp8 with a scale for every row; None where it cannot.
    fp8: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """A transformer, as far as its arithmetic goes; the embeddings and the modulation are less than 0.1 % of it."""

    #: Numbers per token.
    width: int
    #: Blocks of both kinds. A block's matrices have 12 × width² numbers for each token, double or single: 4 × width²
    #: of attention and 8 × width² of the layers behind it.
    blocks: int

    def linear(self, tokens: int) -> float:
        """Return the operations of the linear layers for one sequence: two per number of a matrix and token."""
        return self.blocks * 24.0 * self.width**2 * tokens

    def attention(self, tokens: int) -> float:
        """Return the operations of attention for one sequence: queries by keys, and the result by values."""
        return self.blocks * 4.0 * self.width * tokens**2

    def step(self, tokens: int) -> float:
        """Return the operations of one denoising step for one image whose sequence has so many tokens."""
        return self.linear(tokens) + self.attention(tokens)

    def floor(self, tokens: int, rates: Rates, *, fp8: bool) -> float:
        """Return the least seconds of one step for one image, its linear layers in fp8 or not; attention never is."""
        linear = rates.fp8 if fp8 and rates.fp8 is not None else rates.plain
        return self.linear(tokens) / linear + self.attention(tokens) / rates.plain
