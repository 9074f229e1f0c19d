"""Instructions as the transformer reads them, without the 500 positions that are padding.

The pipeline pads every instruction to 512 tokens. Here padding is one token that counts as many times as it stands for:
the logarithm of that number, added to its scores, makes every attention's sums the same. That is exact, since padded
positions are equal: they share position id 0, and T5's are all zero and its words have no order.
"""

from collections.abc import Sequence
from math import log
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

#: What FluxKontextPipeline pads to.
_PADDED: Final = 512


class Text(NamedTuple):
    """Embedded instructions."""

    #: T5's: (instructions, tokens, width), the last token of each being its padding.
    sequence: Tensor
    #: CLIP's: (instructions, width).
    pooled: Tensor
    #: What is added to the scores of the tokens: (instructions, 1, 1, tokens).
    bias: Tensor


def embed(pipeline: Any, texts: Sequence[str]) -> Text:
    """Embed instructions, none of more than some fifty words, such that gradients reach both encoders."""
    clip = pipeline.tokenizer(list(texts), padding=True, truncation=True, max_length=77, return_tensors="pt")
    t5 = pipeline.tokenizer_2(list(texts), padding=True, truncation=True, max_length=_PADDED - 1, return_tensors="pt")
    device = pipeline.transformer.device
    ids = torch.nn.functional.pad(t5.input_ids, (0, 1)).to(device)
    bias = _padding_bias(t5.attention_mask.sum(1).tolist(), ids.shape[1]).to(device)
    sequence = pipeline.text_encoder_2(ids, attention_mask=bias.expand(-1, -1, ids.shape[1], -1))[0]
    pooled = pipeline.text_encoder(clip.input_ids.to(device)).pooler_output
    return Text(sequence, pooled, bias)


def _padding_bias(lengths: Sequence[int], tokens: int) -> Tensor:
    bias = torch.full((len(lengths), 1, 1, tokens), float("-inf"))
    for row, length in enumerate(lengths):
        bias[row, ..., :length] = 0.0
        bias[row, ..., -1] = log(_PADDED - length)
    return bias
