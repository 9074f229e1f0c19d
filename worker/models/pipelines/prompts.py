"""Embeddings of instructions, kept for those that come again."""

from collections.abc import Callable, Sequence

import torch
from cachetools import LRUCache, cachedmethod
from torch import Tensor

#: An instruction as the transformer reads it: tensors whose first dimension is 1.
Embedding = tuple[Tensor, ...]


class Prompts:
    """Embeds instructions; those that were used last are kept, up to `most` bytes of the device's memory.

    Each is embedded by itself, whatever the batch it rides in: an embedding must not depend on which others happened to
    be new. By arithmetic that costs 0.1 % of Kontext's 28 steps, and in data sets instructions come again and again.
    """

    def __init__(self, embedding: Callable[[str], Embedding], most: int) -> None:
        """`embedding` makes that of one instruction."""
        self._make = embedding
        self._kept: LRUCache[str, Embedding] = LRUCache(most, getsizeof=lambda kept: sum(one.nbytes for one in kept))

    @property
    def room(self) -> int:
        """Bytes that kept embeddings may still come to take."""
        return int(self._kept.maxsize - self._kept.currsize)

    @torch.no_grad()
    def embed(self, prompts: Sequence[str]) -> Embedding:
        """Return the embeddings of instructions, each of their tensors with a row for each instruction."""
        found = [self._embedding(prompt) for prompt in prompts]
        return tuple(torch.cat(parts) for parts in zip(*found, strict=True))

    @cachedmethod(lambda self: self._kept)
    def _embedding(self, prompt: str) -> Embedding:
        return self._make(prompt)
