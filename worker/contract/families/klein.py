"""FLUX.2 [klein]: distilled to four steps, and the base that it was distilled from."""

from dataclasses import replace
from typing import Final

from worker.contract.buckets import DEMO_BUCKETS, KONTEXT_BUCKETS
from worker.contract.model_spec import Checkpoint, ModelSpec
from worker.contract.work import Network

#: Tokens that it reads, the chat around the instruction among them: `max_sequence_length` of diffusers' pipeline.
TOKENS: Final = 512

_APACHE: Final = "Apache-2.0"
_NON_COMMERCIAL: Final = "FLUX Non-Commercial"

#: Of a block's squares four are attention's, nine those of the gated layers behind it.
SMALLER: Final = Checkpoint(
    hub_id="black-forest-labs/FLUX.2-klein-4B", licence=_APACHE, gigabytes=16.0, pflop=0.307,
    network=Network(width=3072, blocks=25, squares=13),
)  # fmt: skip
LARGER: Final = Checkpoint(
    hub_id="black-forest-labs/FLUX.2-klein-9B", licence=_NON_COMMERCIAL, gigabytes=34.7, pflop=0.645,
    network=Network(width=4096, blocks=32, squares=13),
)  # fmt: skip

#: Its resolutions are Kontext's; a token is 2 × 2 latent pixels of 8 × 8, as there.
KLEIN: Final = ModelSpec(
    name="FLUX.2-klein",
    family="klein",
    pipeline="Flux2KleinPipeline",
    source="hub",
    checkpoints=(SMALLER, LARGER),
    buckets=KONTEXT_BUCKETS,
    multiple=16,
    steps=4,
    guidance=1.0,
    guided="none",
    distilled=True,
    tasks=("imageedit", "text2image"),
    # As its vendor has it; by the pipeline there is no bound.
    references=4,
    tokens=TOKENS,
    tokenizer="tokenizer",
    # Qwen3's chat, without thinking.
    template="<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
    needs_cuda=True,
    profile="exact",
)

#: Steps and guidance are those of diffusers' pipeline.
_BASE: Final = replace(
    KLEIN,
    name="FLUX.2-klein-base",
    checkpoints=(
        replace(SMALLER, hub_id="black-forest-labs/FLUX.2-klein-base-4B", pflop=7.67),
        replace(LARGER, hub_id="black-forest-labs/FLUX.2-klein-base-9B", pflop=16.1),
    ),
    steps=50,
    guidance=4.0,
    guided="true CFG",
    distilled=False,
)

_TINY: Final = replace(
    KLEIN, name="tiny-klein", source="random", checkpoints=(), buckets=DEMO_BUCKETS, needs_cuda=False,
    profile="reference", hidden=True,
)  # fmt: skip

_TINY_BASE: Final = replace(
    _TINY, name="tiny-klein-base", steps=8, guidance=4.0, guided="true CFG", distilled=False
)  # fmt: skip

ENTRIES: Final = (KLEIN, _BASE, _TINY, _TINY_BASE)
