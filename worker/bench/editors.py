"""What is measured: plain diffusers, and a worker's model in each profile."""

import gc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image

from worker.batching.jobs import BatchKey, EditJob, Ticket
from worker.bench.photos import Row
from worker.contract.buckets import Bucket
from worker.contract.model_spec import ModelSpec
from worker.contract.profiles import Profile
from worker.models.registry import editor_of

#: Makes a new pipeline on the device.
LoadPipeline = Callable[[], Any]


class Editor(Protocol):
    """A loaded model."""

    #: diffusers' name of its attention backend.
    attention: str
    #: Of the transformer in each step.
    passes: int
    #: Steps in which a call has run everything that is compiled for it.
    steps_to_compile: int

    def edit(self, bucket: Bucket, rows: Sequence[Row], steps: int) -> list[Image.Image]:
        """Edit rows at a resolution in one call; return a picture of each."""
        ...


class Profiled(Editor):
    """What a worker runs."""

    def __init__(self, pipeline: Any, spec: ModelSpec, profile: Profile, compile_cache: Path) -> None:
        """Raise ModelError where this machine cannot do the profile."""
        # Without kept embeddings: each call pays for its instructions.
        self._model = editor_of(spec)(pipeline, profile, compile_cache=compile_cache, prompt_cache=0)
        self._guidance = spec.guidance
        self.steps_to_compile = self._model.steps_to_compile
        self.passes = self._model.passes(self._key(spec.square, spec.steps))
        processor = next(iter(pipeline.transformer.attn_processors.values()))
        backend = getattr(processor, "_attention_backend", None)
        self.attention = str(getattr(backend, "value", backend))

    def edit(self, bucket: Bucket, rows: Sequence[Row], steps: int) -> list[Image.Image]:
        """Edit rows as the micro-batcher has them edited."""
        jobs = [
            EditJob(Ticket("bench", number, "", ""), row.picture, row.instruction, None, (row.seed,))
            for number, row in enumerate(rows)
        ]
        return [picture for [picture] in self._model.edit(self._key(bucket, steps), jobs, len(jobs))]

    def _key(self, bucket: Bucket, steps: int) -> BatchKey:
        return BatchKey(bucket=bucket, steps=steps, guidance=self._guidance, true_cfg_scale=1.0, num_images=1)


def free(device: torch.device) -> None:
    """Give back what an editor that nobody holds any more has taken: two do not fit onto one GPU."""
    torch.compiler.reset()
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
