"""FLUX.2 [klein] KV through diffusers' Flux2KleinKVPipeline."""

from typing import Final

from worker.models.klein.editor import Klein
from worker.models.klein_kv.pipeline import KeepingPipeline


class KleinKV(Klein):
    """A loaded Flux2KleinKVPipeline. All of them are distilled."""

    rows_of = staticmethod(KeepingPipeline.of)
    #: The first step calculates references, and the later ones do not: a graph of their own.
    steps_to_compile = 2


#: What `worker.models.registry` loads.
EDITOR: Final = KleinKV
