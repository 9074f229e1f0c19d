"""FLUX.1-Kontext, and the demo model, which is a tiny one that was trained here."""

from dataclasses import replace
from typing import Final

from worker.contract.buckets import DEMO_BUCKETS, KONTEXT_BUCKETS
from worker.contract.model_spec import Checkpoint, ModelSpec
from worker.contract.work import Network

#: Tokens that it reads of an instruction: `max_sequence_length` of diffusers' pipeline.
TOKENS: Final = 512

#: Steps and guidance of FLUX-Kontext are those of its model card and of DataFlow's guide. A token of its transformer is
#: 2 × 2 latent pixels, a latent pixel 8 × 8 of the picture: hence multiples of 16.
_KONTEXT: Final = ModelSpec(
    name="FLUX-Kontext",
    family="kontext",
    pipeline="FluxKontextPipeline",
    source="hub",
    checkpoints=(
        Checkpoint(
            hub_id="black-forest-labs/FLUX.1-Kontext-dev",
            licence="FLUX.1 [dev] Non-Commercial",
            gigabytes=33.7,
            pflop=4.63,
            # Of attention four squares, of the layers behind it eight.
            network=Network(width=3072, blocks=57, squares=12),
        ),
    ),
    buckets=KONTEXT_BUCKETS,
    multiple=16,
    steps=28,
    guidance=3.5,
    guided="embedded",
    references=1,
    tokens=TOKENS,
    tokenizer="tokenizer_2",
    needs_cuda=True,
    profile="exact",
)

_DEMO: Final = replace(
    _KONTEXT, name="demo", source="package", checkpoints=(), buckets=DEMO_BUCKETS, steps=8, needs_cuda=False,
    profile="reference",
)  # fmt: skip

_TINY: Final = replace(_DEMO, name="tiny-kontext", source="random", hidden=True)

ENTRIES: Final = (_KONTEXT, _DEMO, _TINY)
