"""FLUX.1-Kontext, the demo model, which is a tiny one that was trained here, and FLUX.1-dev, which edits nothing."""

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
    tasks=("imageedit", "text2image"),
    references=1,
    tokens=TOKENS,
    tokenizer="tokenizer_2",
    needs_cuda=True,
    profile="exact",
)

#: What Kontext was made of: the same networks, which have never seen a reference. Steps and guidance are those of
#: diffusers' pipeline.
_DEV: Final = replace(
    _KONTEXT,
    name="FLUX.1-dev",
    pipeline="FluxPipeline",
    checkpoints=(
        Checkpoint(
            hub_id="black-forest-labs/FLUX.1-dev",
            licence="FLUX.1 [dev] Non-Commercial",
            gigabytes=33.7,
            pflop=2.08,
            network=Network(width=3072, blocks=57, squares=12),
        ),
    ),
    tasks=("text2image",),
    references=0,
)

#: Trained on edits alone, and on pictures of one shape before and after: from nothing, or from a picture of another
#: shape, it makes nothing that one would want to see.
_DEMO: Final = replace(
    _KONTEXT, name="demo", source="package", checkpoints=(), buckets=DEMO_BUCKETS, steps=8, needs_cuda=False,
    profile="reference", tasks=("imageedit",), same_shape=True,
)  # fmt: skip

_TINY: Final = replace(_DEMO, name="tiny-kontext", source="random", hidden=True, tasks=_KONTEXT.tasks, same_shape=False)

_TINY_DEV: Final = replace(_TINY, name="tiny-dev", pipeline=_DEV.pipeline, tasks=_DEV.tasks, references=0)

ENTRIES: Final = (_KONTEXT, _DEMO, _DEV, _TINY, _TINY_DEV)
