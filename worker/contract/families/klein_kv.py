"""FLUX.2 [klein] KV: references attend to themselves alone, and their keys and values are kept from step to step."""

from dataclasses import replace
from typing import Final

from worker.contract.buckets import DEMO_BUCKETS
from worker.contract.families.klein import KLEIN, LARGER
from worker.contract.model_spec import ModelSpec

_KV: Final[ModelSpec] = replace(
    KLEIN,
    name="FLUX.2-klein-KV",
    family="klein_kv",
    pipeline="Flux2KleinKVPipeline",
    checkpoints=(
        replace(
            LARGER,
            hub_id="black-forest-labs/FLUX.2-klein-9b-kv",
            pflop=0.407,
            network=replace(LARGER.network, keeps_references=True),
        ),
    ),
    # There are no others, and its model_index.json need not say so.
    distilled=None,
    # Without references there is nothing to keep: the plain one does the same.
    tasks=("imageedit",),
)

_TINY: Final = replace(
    _KV, name="tiny-klein-kv", source="random", checkpoints=(), buckets=DEMO_BUCKETS, needs_cuda=False,
    profile="reference", hidden=True,
)  # fmt: skip

ENTRIES: Final = (_KV, _TINY)
