"""Qwen-Image-Edit: rows of a call, through the parts of diffusers' QwenImageEditPlusPipeline."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from PIL import Image
from torch import Tensor

from worker.batching.jobs import BatchKey, EditJob
from worker.contract.families.qwen import TOKENS
from worker.models.pipelines.editing import PipelineEditor, noise_of
from worker.models.pipelines.pixels import to_device
from worker.models.pipelines.tokens import TokenCounter
from worker.models.qwen.denoising import edit
from worker.models.qwen.processor import FOLDER, load_processor
from worker.models.qwen.reading import Text, read

#: What true CFG leads away from where a row names nothing, as the model cards have it.
_NOTHING: Final = " "


class Qwen(PipelineEditor):
    """A loaded QwenImageEditPlusPipeline."""

    masked = True

    @classmethod
    def parts(cls, folder: Path) -> dict[str, Any]:
        """Return the processor, which diffusers would load with a part for videos."""
        return {FOLDER: load_processor(folder)}

    def embedding(self, prompt: str, *pictures: Image.Image) -> tuple[Tensor, ...]:
        """Return the encoder's last states (1, tokens, width), and which of them count (1, tokens)."""
        return read(self.pipeline, prompt, pictures, TOKENS)

    def counter(self) -> TokenCounter:
        """Return the encoder's; the end of the chat counts, what stands before the instruction does not."""
        _, _, after = self.pipeline.prompt_template_encode.partition("{}")
        return TokenCounter(self.pipeline.processor.tokenizer, TOKENS, said=lambda prompt: prompt + after)

    def passes(self, key: BatchKey) -> int:
        """Return 2 where there is true CFG."""
        return 2 if key.strength > 1 else 1

    def call(self, key: BatchKey, rows: Sequence[tuple[EditJob, int]]) -> Tensor:
        """Edit rows in one call."""
        pictures = [job.pictures for job, _ in rows]
        text = Text(*self.prompts.embed([job.prompt for job, _ in rows], pictures))
        negative = None
        if self.passes(key) > 1:
            negative = Text(*self.prompts.embed([job.negative_prompt or _NOTHING for job, _ in rows], pictures))
        return edit(
            self.pipeline,
            # One batch for each place: rows of a key have references of the same sizes.
            [to_device(place, self.device) for place in zip(*pictures, strict=True)],
            key.bucket,
            text,
            negative,
            scale=key.strength,
            steps=key.steps,
            generators=noise_of(rows),
        )


#: What `worker.models.registry` loads.
EDITOR: Final = Qwen
