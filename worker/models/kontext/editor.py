"""FLUX.1-Kontext through diffusers' FluxKontextPipeline, and FLUX.1-dev through its FluxPipeline."""

from collections.abc import Sequence
from typing import Any, Final

from diffusers import FluxKontextPipeline
from torch import Tensor

from worker.batching.jobs import BatchKey, EditJob
from worker.contract.families.kontext import TOKENS
from worker.models.pipelines.editing import PipelineEditor, noise_of
from worker.models.pipelines.pixels import to_device
from worker.models.pipelines.tokens import TokenCounter


class Kontext(PipelineEditor):
    """A loaded FluxKontextPipeline, or FluxPipeline."""

    def embedding(self, prompt: str) -> tuple[Tensor, ...]:
        """Return T5's (1, tokens, width) and CLIP's (1, width)."""
        sequence, pooled, _ = self.pipeline.encode_prompt(prompt=[prompt], prompt_2=None, max_sequence_length=TOKENS)
        return sequence, pooled

    def counter(self) -> TokenCounter:
        """Return T5's. CLIP's tokenizer reads 77, for the tone of the whole alone."""
        return TokenCounter(self.pipeline.tokenizer_2, TOKENS)

    def passes(self, key: BatchKey) -> int:
        """Return 2 where there is a negative prompt: the guidance itself is embedded."""
        return 2 if key.true_cfg_scale > 1 else 1

    def call(self, key: BatchKey, rows: Sequence[tuple[EditJob, int]]) -> Tensor:
        """Edit rows in one call, or make pictures from their instructions alone."""
        width, height = key.bucket
        sequence, pooled = self.prompts.embed([job.prompt for job, _ in rows])
        negative: tuple[Any, ...] = (None, None)
        if key.true_cfg_scale > 1:
            negative = self.prompts.embed([job.negative_prompt or "" for job, _ in rows])
        made: Tensor = self.pipeline(
            prompt_embeds=sequence,
            pooled_prompt_embeds=pooled,
            negative_prompt_embeds=negative[0],
            negative_pooled_prompt_embeds=negative[1],
            # Without these the output is 1024 x 1024, whatever the input.
            width=width,
            height=height,
            num_inference_steps=key.steps,
            guidance_scale=key.guidance,
            true_cfg_scale=key.true_cfg_scale,
            generator=noise_of(rows),
            output_type="pt",
            **self._kontexts_own(key, rows),
        ).images
        return made

    def _kontexts_own(self, key: BatchKey, rows: Sequence[tuple[EditJob, int]]) -> dict[str, Any]:
        """Return the arguments that a FluxPipeline has not, since it edits nothing."""
        if not isinstance(self.pipeline, FluxKontextPipeline):
            return {}
        pictures = [job.image for job, _ in rows if job.image is not None]
        return {
            "image": to_device(pictures, self.device) if pictures else None,
            # By itself it shrinks some buckets.
            "max_area": key.bucket.width * key.bucket.height,
            # The images are at their size already; the pipeline would take the first one's for all.
            "_auto_resize": False,
        }


#: What `worker.models.registry` loads.
EDITOR: Final = Kontext
