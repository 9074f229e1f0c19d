"""How much of an instruction a model reads: past its bound, an instruction is cut, and nothing in the picture tells."""

from collections.abc import Callable
from typing import NamedTuple

from worker.contract.errors import RowError
from worker.contract.messages import EditRequest


class Reading(NamedTuple):
    """How much of a text a model reads."""

    #: By the model's own tokenizer, the token at the end included.
    tokens: int
    #: Of these.
    read: int

    @classmethod
    def of(cls, tokens: int, most: int) -> "Reading":
        """Make that of a model which reads at most so many."""
        return cls(tokens, min(tokens, most))

    @property
    def is_cut(self) -> bool:
        """Whether the model does not read all of it."""
        return self.read < self.tokens


def reading_of(request: EditRequest, read: Callable[[str], Reading | None]) -> tuple[Reading | None, bool]:
    """Return how much of a row's instruction the model reads, and whether that, or its negative prompt, is cut.

    Of several turns, it is the longest instruction's, and whether any is cut. `read` counts a text's tokens; None where
    the model has no bound.

    Raises:
        RowError: it is cut, and the request asks for an error in that case.

    """
    instructions = {"instruction": request.prompt}
    if request.earlier_prompts:
        instructions = {f"instruction of user turn {turn}": prompt for turn, prompt in enumerate(request.prompts, 1)}
    texts = {**instructions, "negative prompt": request.negative_prompt or ""}
    readings = {name: read(text) for name, text in texts.items()}
    cut = {name: reading for name, reading in readings.items() if reading is not None and reading.is_cut}
    if request.long_instruction == "error":
        for name, (tokens, most) in cut.items():
            raise RowError(
                f"the {name} has {tokens} tokens, of which the model reads {most}; shorten it, or have it edited by"
                " what is read with --long-instruction warn."
            )
    longest = max((readings[name] for name in instructions), key=lambda one: one.tokens if one else 0)
    return longest, bool(cut)
