"""What each step of the transformer's training learns from: drawn from its number alone."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from torch import Tensor

from worker.contract.buckets import Bucket
from worker.models.demo.train.instructions import NAMES, Instruction, alone, together
from worker.models.demo.train.latents import SMALL, Latents

#: Tokens of the pictures that a step learns to make: 8 of 256 × 256 pixels.
_TOKENS: Final = 2048

#: How often an edit is asked for, where that is not 1. Steps that teach a colour teach the others, too; what needs to
#: know where things are, or turns them around, stands alone.
_OFTEN: Final = {"keep": 2.0, "invert": 3.0, "mirror": 4.0, "outline": 3.0}

#: How often each pair is.
_PAIR: Final = 0.7


class Batch(NamedTuple):
    """What one step learns from; latents of shape (rows, channels, height / 8, width / 8)."""

    source: Tensor
    target: Tensor
    instructions: list[Instruction]


def draw_batch(latents: Mapping[Bucket, Latents], draw: np.random.Generator, progress: float) -> Batch:
    """Choose pictures of one size, and for each an edit and what to say; `progress` is that of the training, 0 to 1."""
    small = draw.random() < max(0.15, 0.9 - 1.5 * progress)
    sizes = [size for size in latents if (size in SMALL) == small]
    size = sizes[draw.integers(len(sizes))]
    some = latents[size]
    rows = _TOKENS // (size.width // 16 * (size.height // 16))
    numbers = draw.integers(len(some.values), size=rows)
    variants = draw.choice(some.values.shape[1], size=rows, p=_chances(some.values.shape[1]))
    asked = [_instruction(draw, some, number, variant) for number, variant in zip(numbers, variants, strict=True)]
    return Batch(some.values[numbers, 0].float(), some.values[numbers, variants].float(), asked)


def _chances(variants: int) -> Any:
    often = np.array([_OFTEN.get(name, 1.0) for name in NAMES] + [_PAIR] * (variants - len(NAMES)))
    return often / often.sum()


def _instruction(draw: np.random.Generator, some: Latents, number: int, variant: int) -> Instruction:
    if variant < len(NAMES):
        return alone(draw, NAMES[variant])
    names = some.pairs[number][variant - len(NAMES)]
    return Instruction(together(draw, names), names)
