"""What is measured: plain diffusers as DataFlow calls it, and a worker's model in each profile."""

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
from worker.models.kontext.editor import Kontext

#: Makes a new FluxKontextPipeline on the device.
LoadPipeline = Callable[[], Any]


class Editor(Protocol):
    """A loaded model."""

    #: diffusers' name of its attention backend.
    attention: str

    def edit(self, bucket: Bucket, rows: Sequence[Row], steps: int) -> list[Image.Image]:
        """Edit rows at a resolution in one call; return a picture of each."""
        ...


class Plain(Editor):
    """`FluxKontextPipeline` as DataFlow's `LocalImageGenServing` calls it: PIL in and out, and nothing changed.

    Its attention slicing does nothing here: no network of the pipeline has it. DataFlow's size is always 1024 x 1024.
    """

    attention = "native"

    def __init__(self, pipeline: Any, spec: ModelSpec) -> None:
        pipeline.enable_attention_slicing()
        self._pipeline = pipeline
        self._spec = spec

    def edit(self, bucket: Bucket, rows: Sequence[Row], steps: int) -> list[Image.Image]:
        """Edit rows, with noise from the device's own generator."""
        edited: list[Image.Image] = self._pipeline(
            image=[row.picture for row in rows],
            prompt=[row.instruction for row in rows],
            height=bucket.height,
            width=bucket.width,
            max_area=bucket.width * bucket.height,
            _auto_resize=bucket == (1024, 1024),  # the tiny model's pictures are no size of Kontext's
            num_inference_steps=steps,
            guidance_scale=self._spec.guidance,
            num_images_per_prompt=1,
        ).images
        return edited


class Profiled(Editor):
    """What a worker runs."""

    def __init__(self, pipeline: Any, spec: ModelSpec, profile: Profile, compile_cache: Path) -> None:
        """Raise ModelError where this machine cannot do the profile."""
        # Without kept embeddings: each call pays for its instructions.
        self._model = Kontext(pipeline, profile, compile_cache=compile_cache, prompt_cache=0)
        self._guidance = spec.guidance
        processor = next(iter(pipeline.transformer.attn_processors.values()))
        backend = getattr(processor, "_attention_backend", None)
        self.attention = str(getattr(backend, "value", backend))

    def edit(self, bucket: Bucket, rows: Sequence[Row], steps: int) -> list[Image.Image]:
        """Edit rows as the micro-batcher has them edited."""
        key = BatchKey(bucket=bucket, steps=steps, guidance=self._guidance, true_cfg_scale=1.0, num_images=1)
        jobs = [
            EditJob(Ticket("bench", number, "", ""), row.picture, row.instruction, None, (row.seed,))
            for number, row in enumerate(rows)
        ]
        return [picture for [picture] in self._model.edit(key, jobs, len(jobs))]


def free(device: torch.device) -> None:
    """Give back what an editor that nobody holds any more has taken: two do not fit onto one GPU."""
    torch.compiler.reset()
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
