"""What a transformer calculates for a picture, pure: operations from its size and its tokens; no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

#: Tokens of an instruction, to which length every one is padded.
_INSTRUCTION: Final = 512


class Tokens(NamedTuple):
    """What the transformer attends over for one picture."""

    #: Of the picture that is made, and of the instruction.
    own: int
    #: Of the pictures that it is made from.
    references: int


class Operations(NamedTuple):
    """Floating-point operations: a product of matrices is two for each pair of numbers."""

    linear: float
    attention: float

    @property
    def all(self) -> float:
        """Both together."""
        return self.linear + self.attention


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """A transformer, as far as its arithmetic goes; the embeddings and the modulation are less than 0.1 % of it."""

    #: Numbers per token.
    width: int
    #: Of whatever kinds: their matrices hold the same.
    blocks: int
    #: Numbers of a block's matrices that a token is multiplied with, in squares of the width.
    squares: int
    #: Whether references attend to themselves alone and are calculated at the first step, their keys and values kept.
    keeps_references: bool = False
    #: Tokens that each picture adds to an instruction, where the text encoder sees it, too.
    seen: int = 0

    def tokens(self, made: tuple[int, int], pictures: Sequence[tuple[int, int]]) -> Tokens:
        """Count those of a picture of this width and height, made from such pictures: 16 × 16 pixels each."""
        text = _INSTRUCTION + self.seen * len(pictures)
        return Tokens(text + _patches(made), sum(map(_patches, pictures)))

    def first(self, tokens: Tokens) -> Operations:
        """Return the operations of the first step for one picture."""
        everything = tokens.own + tokens.references
        if not self.keeps_references:
            return Operations(self._linear(everything), self._attention(everything, everything))
        attended = self._attention(tokens.own, everything) + self._attention(tokens.references, tokens.references)
        return Operations(self._linear(everything), attended)

    def later(self, tokens: Tokens) -> Operations:
        """Return the operations of each step after the first."""
        if not self.keeps_references:
            return self.first(tokens)
        return Operations(self._linear(tokens.own), self._attention(tokens.own, tokens.own + tokens.references))

    def picture(self, tokens: Tokens, *, steps: int, passes: int = 1) -> float:
        """Return the operations of a picture, in so many steps of so many passes."""
        return passes * (self.first(tokens).all + (steps - 1) * self.later(tokens).all)

    def _linear(self, tokens: int) -> float:
        return 2.0 * self.blocks * self.squares * self.width**2 * tokens

    def _attention(self, queries: int, keys: int) -> float:
        """Count queries by keys, and the result by values."""
        return 4.0 * self.blocks * self.width * queries * keys


def _patches(size: tuple[int, int]) -> int:
    return (size[0] // 16) * (size[1] // 16)
