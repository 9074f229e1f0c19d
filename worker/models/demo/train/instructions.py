"""Instructions as people might write them, drawn at random, and the edits that they ask for."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from numpy.random import Generator

from worker.models.demo.edits import EDITS
from worker.models.demo.phrases import FRAMES, LEARNED, THINGS, UNKNOWN

#: Of an instruction for two edits, the first one named here is done first.
_STAGES: Final = (
    ("mirror", "blur", "outline"),
    ("red", "green", "blue", "grey", "sepia"),
    ("brighter", "darker", "warmer"),
)

#: How two edits are named together.
_PAIRS: Final = (
    "make {it} {a} and {b}", "make {it} {a}, and also {b}", "make {it} {a} and then make {it} {b}", "{a} and {b}",
    "turn {it} {a} and make {it} {b}", "I want {it} {a} and {b}", "make {it} both {a} and {b}",
)  # fmt: skip

#: An edit as an adjective, where its name is none.
_ADJECTIVES: Final = {"mirror": "mirrored", "blur": "blurry", "outline": "outlined"}


class Instruction(NamedTuple):
    """What is said, and what is meant."""

    text: str
    #: Names of edits, done one after the other.
    edits: tuple[str, ...]


def alone(draw: Generator, name: str) -> Instruction:
    """Ask for one edit; one in three askings to keep the picture is for what the model cannot do."""
    some = UNKNOWN if name == "keep" and draw.random() < 1 / 3 else LEARNED[name]
    return Instruction(_said(draw, _one(draw, some)), (name,))


def pair(draw: Generator) -> Instruction:
    """Ask for two edits of different stages, in either order."""
    one, other = sorted(draw.choice(len(_STAGES), 2, replace=False))
    names = tuple(_one(draw, _STAGES[stage]) for stage in (one, other))
    return Instruction(together(draw, names), names)


def together(draw: Generator, names: tuple[str, ...]) -> str:
    """Ask for two edits by name."""
    a, b = (_ADJECTIVES.get(name, name) for name in draw.permutation(names))
    return _said(draw, _one(draw, _PAIRS).replace("{a}", a).replace("{b}", b))


def _said(draw: Generator, phrase: str) -> str:
    do = phrase.replace("{it}", _one(draw, THINGS))
    text = _one(draw, FRAMES).format(do=do, Do=do[:1].upper() + do[1:])
    return str(draw.choice([text, text.lower(), text.upper()], p=[0.82, 0.15, 0.03]))


def _one(draw: Generator, some: Sequence[str]) -> str:
    return some[int(draw.integers(len(some)))]


#: Every edit alone; pairs come on top.
NAMES: Final = tuple(EDITS)
