"""diffusers' Flux2KleinKVPipeline, where each row of a batch has references of its own, computed once."""

from typing import Any

from diffusers import Flux2KleinKVPipeline

from worker.models.klein.pipeline import OwnReferences


class KeepingPipeline(OwnReferences, Flux2KleinKVPipeline):
    """The same pipeline: only `prepare_image_latents` is another.

    At the first step each layer keeps the keys and values of the references, those of each row of the call; the later
    steps attend to these.
    """

    @classmethod
    def of(cls, pipeline: Any) -> Any:
        """Take the parts of diffusers' own."""
        rows: Any = cls(**pipeline.components)
        rows.set_progress_bar_config(disable=True)
        return rows

    def __call__(self, *, negative_prompt_embeds: None = None, guidance_scale: float = 1.0, **arguments: Any) -> Any:
        """Edit rows. It has no true CFG, and takes no arguments for it."""
        del negative_prompt_embeds, guidance_scale
        own: Any = super()  # diffusers is typed in part
        return own.__call__(**arguments)
