"""Embeddings of instructions, kept for those that come again."""

import hashlib
from collections.abc import Callable, Hashable, Sequence
from itertools import repeat

import torch
from cachetools import LRUCache, cachedmethod
from PIL import Image
from torch import Tensor

#: An instruction as the transformer reads it: tensors whose first dimension is 1.
Embedding = tuple[Tensor, ...]


class Prompts:
    """Embeds instructions; those that were used last are kept, up to `most` bytes of the device's memory.

    Each is embedded by itself, whatever the batch it rides in: an embedding must not depend on which others happened to
    be new. By arithmetic that costs 0.1 % of Kontext's 28 steps, and in data sets instructions come again and again.
    """

    def __init__(self, embedding: Callable[..., Embedding], most: int) -> None:
        """`embedding` makes that of one instruction, and of pictures where the encoder sees some with it."""
        self._make = embedding
        self._kept: LRUCache[Hashable, Embedding] = LRUCache(
            most, getsizeof=lambda kept: sum(one.nbytes for one in kept)
        )

    @property
    def room(self) -> int:
        """Bytes that kept embeddings may still come to take."""
        return int(self._kept.maxsize - self._kept.currsize)

    @torch.no_grad()
    def embed(self, prompts: Sequence[str], pictures: Sequence[Sequence[Image.Image]] | None = None) -> Embedding:
        """Return the embeddings of instructions, each of their tensors with a row for each instruction.

        `pictures`: those that the encoder sees with each. What is kept of an instruction is kept for these pixels.
        """
        seen = repeat(()) if pictures is None else pictures
        found = [self._embedding(prompt, *shown) for prompt, shown in zip(prompts, seen, strict=pictures is not None)]
        return tuple(torch.cat(parts) for parts in zip(*found, strict=True))

    @cachedmethod(
        lambda self: self._kept,
        key=lambda _, prompt, *pictures: (prompt, *((one.size, _digest(one)) for one in pictures)),
    )
    def _embedding(self, prompt: str, *pictures: Image.Image) -> Embedding:
        return self._make(prompt, *pictures)


def _digest(picture: Image.Image) -> bytes:
    return hashlib.blake2b(picture.tobytes(), digest_size=16).digest()
