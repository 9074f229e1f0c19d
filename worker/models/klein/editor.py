"""FLUX.2 [klein] through diffusers' Flux2KleinPipeline, whose rows have pictures of their own here."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from worker.batching.jobs import BatchKey, EditJob
from worker.contract.families.klein import TOKENS
from worker.contract.profiles import Profile
from worker.models.klein.pipeline import STAND_IN, RowsPipeline
from worker.models.pipelines.editing import PipelineEditor, noise_of
from worker.models.pipelines.pixels import to_device
from worker.models.pipelines.tokens import TokenCounter


class Klein(PipelineEditor):
    """A loaded Flux2KleinPipeline: distilled, or the base with true CFG."""

    #: Makes of diffusers' pipeline one whose rows have references of their own.
    rows_of = staticmethod(RowsPipeline.of)

    def __init__(self, pipeline: Any, profile: Profile, *, compile_cache: Path, prompt_cache: int) -> None:
        # The pipeline's own three layers, 9, 18 and 27, are of an encoder of 36: the tiny one has fewer.
        layers = pipeline.text_encoder.config.num_hidden_layers
        self._layers = (layers // 4, layers // 2, 3 * layers // 4)
        self._is_distilled = bool(pipeline.config.get("is_distilled", True))
        super().__init__(self.rows_of(pipeline), profile, compile_cache=compile_cache, prompt_cache=prompt_cache)

    def embedding(self, prompt: str) -> tuple[Tensor, ...]:
        """Return three of Qwen3's layers, side by side: (1, tokens, 3 × width)."""
        sequence, _ = self.pipeline.encode_prompt(
            prompt=[prompt], max_sequence_length=TOKENS, text_encoder_out_layers=self._layers
        )
        return (sequence,)

    def counter(self) -> TokenCounter:
        """Return Qwen3's; the chat around an instruction counts."""
        return TokenCounter(self.pipeline.tokenizer, TOKENS, said=self._chat)

    def passes(self, key: BatchKey) -> int:
        """Return 2 where there is true CFG."""
        return 2 if self._scale(key) > 1 else 1

    def call(self, key: BatchKey, rows: Sequence[tuple[EditJob, int]]) -> Tensor:
        """Edit rows in one call, or make pictures from their instructions alone."""
        (sequence,) = self.prompts.embed([job.prompt for job, _ in rows])
        negative = None
        if self.passes(key) > 1:
            (negative,) = self.prompts.embed([job.negative_prompt or "" for job, _ in rows])
        pictures = [job.pictures for job, _ in rows]
        # One batch for each place: rows of a key have references of the same sizes.
        places = [to_device(place, self.device) for place in zip(*pictures, strict=True)]
        with self.pipeline.referring_to(places):
            made: Tensor = self.pipeline(
                image=STAND_IN if places else None,
                prompt_embeds=sequence,
                negative_prompt_embeds=negative,
                width=key.bucket.width,
                height=key.bucket.height,
                num_inference_steps=key.steps,
                guidance_scale=self._scale(key),
                generator=noise_of(rows),
                output_type="pt",
            ).images
        return made

    def _scale(self, key: BatchKey) -> float:
        """Return the strength of true CFG."""
        return 1.0 if self._is_distilled else key.strength

    def _chat(self, prompt: str) -> str:
        chat: str = self.pipeline.tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        return chat


#: What `worker.models.registry` loads.
EDITOR: Final = Klein
