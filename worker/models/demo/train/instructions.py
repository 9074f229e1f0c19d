"""Instructions as people might write them, drawn at random, and the edits that they ask for."""

import string
from collections.abc import Sequence
from typing import Final, NamedTuple

from numpy.random import Generator

from worker.models.demo.edits import EDITS
from worker.models.demo.phrases import FRAMES, LEARNED, PAIRS, THINGS, UNKNOWN

#: Every edit alone; pairs come on top.
NAMES: Final = tuple(EDITS)

#: Of an instruction for two edits, the first one named here is done first.
_STAGES: Final = (
    ("mirror", "blur", "outline"),
    ("red", "green", "blue", "grey", "sepia"),
    ("brighter", "darker", "warmer"),
)

#: Letters of words that mean nothing.
_LETTERS: Final = string.ascii_lowercase

#: An edit as an adjective, where its name is none.
_ADJECTIVES: Final = {"mirror": "mirrored", "blur": "blurry", "outline": "outlined"}


class Instruction(NamedTuple):
    """What is said, and what is meant."""

    text: str
    #: Names of edits, done one after the other.
    edits: tuple[str, ...]


def alone(draw: Generator, name: str) -> Instruction:
    """Ask for one edit; one in three askings to keep the picture is for what the model cannot do."""
    if name == "keep" and draw.random() < 1 / 3:
        return Instruction(_said(draw, _unknown(draw)), (name,))
    return Instruction(_said(draw, _one(draw, LEARNED[name])), (name,))


def _unknown(draw: Generator) -> str:
    """Ask for what it cannot do, or in a language that it does not know."""
    if draw.random() < 2 / 3:
        return _one(draw, UNKNOWN)
    return " ".join(_word(draw) for _ in range(draw.integers(1, 4)))


def pair(draw: Generator) -> Instruction:
    """Ask for two edits of different stages, in either order."""
    one, other = sorted(draw.choice(len(_STAGES), 2, replace=False))
    names = tuple(_one(draw, _STAGES[stage]) for stage in (one, other))
    return Instruction(together(draw, names), names)


def together(draw: Generator, names: tuple[str, ...]) -> str:
    """Ask for two edits by name."""
    a, b = (_ADJECTIVES.get(name, name) for name in draw.permutation(names))
    return _said(draw, _one(draw, PAIRS).replace("{a}", a).replace("{b}", b))


def _said(draw: Generator, phrase: str) -> str:
    do = phrase.replace("{it}", _thing(draw))
    text = _one(draw, FRAMES).format(do=do, Do=do[:1].upper() + do[1:])
    return str(draw.choice([text, text.lower(), text.upper()], p=[0.82, 0.15, 0.03]))


def _thing(draw: Generator) -> str:
    """Name the picture, or what is to be seen in it: most such words are unknown, and must not matter."""
    return f"the {_word(draw)}" if draw.random() < 1 / 4 else _one(draw, THINGS)


def _word(draw: Generator) -> str:
    return "".join(_one(draw, _LETTERS) for _ in range(draw.integers(2, 8)))


def _one(draw: Generator, some: Sequence[str]) -> str:
    return some[int(draw.integers(len(some)))]
