"""Embeddings of instructions, kept for those that come again."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from cachetools import LRUCache, cachedmethod
from torch import Tensor

from worker.contract.catalog import FLUX_TOKENS


class Embedding(NamedTuple):
    """An instruction as the transformer reads it."""

    #: T5's: (1, tokens, width).
    sequence: Tensor
    #: CLIP's: (1, width).
    pooled: Tensor

    @property
    def size(self) -> int:
        """Bytes of the device's memory."""
        return self.sequence.nbytes + self.pooled.nbytes


class Prompts:
    """Embeds instructions; those that were used last are kept, up to `most` bytes of the device's memory.

    Each is embedded by itself, whatever the batch it rides in: an embedding must not depend on which others happened to
    be new. By arithmetic that costs 0.1 % of Kontext's 28 steps, and in data sets instructions come again and again.
    """

    def __init__(self, pipeline: Any, most: int) -> None:
        self._pipeline = pipeline
        self._kept: LRUCache[str, Embedding] = LRUCache(most, getsizeof=lambda embedding: embedding.size)

    @property
    def room(self) -> int:
        """Bytes that kept embeddings may still come to take."""
        return int(self._kept.maxsize - self._kept.currsize)

    @torch.no_grad()
    def embed(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return T5's (prompts, tokens, width) and CLIP's (prompts, width) embeddings."""
        found = [self._embedding(prompt) for prompt in prompts]
        return torch.cat([one.sequence for one in found]), torch.cat([one.pooled for one in found])

    @cachedmethod(lambda self: self._kept)
    def _embedding(self, prompt: str) -> Embedding:
        sequence, pooled, _ = self._pipeline.encode_prompt(
            prompt=[prompt], prompt_2=None, max_sequence_length=FLUX_TOKENS
        )
        return Embedding(sequence, pooled)
