"""FLUX.1-Kontext through diffusers' FluxKontextPipeline; the demo model goes the same way."""

import logging
import re
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import torch
from PIL import Image

from worker.batching.budget import Memory, split
from worker.batching.jobs import BatchKey, EditJob
from worker.contract.buckets import Bucket
from worker.contract.catalog import FLUX_TOKENS
from worker.contract.errors import OutOfMemory
from worker.contract.profiles import Profile
from worker.contract.reading import Reading
from worker.models.flux.pixels import to_device, to_pictures
from worker.models.flux.prompts import Prompts
from worker.models.flux.tokens import TokenCounter
from worker.models.protocol import EditModel
from worker.models.speed.capabilities import machine_of
from worker.models.speed.compiling import compiler_settings
from worker.models.speed.device import free_memory, in_gib, leave_a_core, memory_by_kind
from worker.models.speed.layout import set_layout
from worker.models.speed.tuning import tune
from worker.models.weights.identity import identity_of
from worker.models.weights.loading import load_pipeline, no_room

logger = logging.getLogger(__name__)

#: Of the free memory, what calls may plan with: the allocator leaves gaps between its blocks.
_USABLE: Final = 0.9


class Kontext(EditModel):
    """A loaded FluxKontextPipeline."""

    def __init__(self, pipeline: Any, profile: Profile, *, compile_cache: Path, prompt_cache: int) -> None:
        """Take a pipeline that is on its device, and change it as the profile says.

        `compile_cache` is the folder of compiled kernels, `prompt_cache` the bytes of kept embeddings.

        Raises:
            ModelError: this machine cannot do the profile.

        """
        #: diffusers' own.
        self.pipeline = pipeline
        self._device: torch.device = pipeline.device
        self._prompts = Prompts(pipeline, prompt_cache)
        self._count = TokenCounter(pipeline.tokenizer_2, FLUX_TOKENS)
        set_layout(pipeline.vae, profile, self._device)
        self._steps = tune(pipeline.transformer, profile, machine_of(self._device), compile_cache)
        #: Resolutions and sizes of a call that were compiled.
        self._known: set[tuple[Bucket, int]] = set()
        self._per_token = 0.0
        self.profile = str(profile)
        self.is_compiled = profile.compiled
        if self._device.type == "cpu":
            leave_a_core()

    @classmethod
    def load(
        cls, folder: Path, profile: Profile, *, device: torch.device, compile_cache: Path, prompt_cache: int
    ) -> Self:
        """Load the checkpoint of a folder onto the device; see `__init__`.

        Raises:
            ModelError: the folder holds no such checkpoint, or this machine cannot do the profile.

        """
        pipeline = load_pipeline(folder, device)
        try:
            loaded = cls(pipeline, profile, compile_cache=compile_cache, prompt_cache=prompt_cache)
        except torch.OutOfMemoryError:
            raise no_room(device) from None
        loaded.weights = identity_of(folder)
        return loaded

    def edit(self, key: BatchKey, jobs: Sequence[EditJob], most: int) -> list[list[Image.Image]]:
        """Edit rows of one key; return each row's images, of the bucket's size, in the rows' order.

        A row that wants several images is repeated, each with its own seed: the pipeline's own
        num_images_per_prompt pairs images and prompts wrongly in a batch. A call makes at most `most` images; where
        the model is compiled it makes 1, 2, 4, ... of them.

        Raises:
            OutOfMemory: the GPU has no room for a call.

        """
        repeated = [(job, seed) for job in jobs for seed in job.seeds]
        edited: list[Image.Image] = []
        while rest := repeated[len(edited) :]:
            size = split(len(rest), most)[0] if self.is_compiled else most
            edited += self._within_memory(key, rest[:size])
        results = iter(edited)
        return [[next(results) for _ in job.seeds] for job in jobs]

    def reading(self, prompt: str) -> Reading:
        """Count the tokens of an instruction by T5's tokenizer. CLIP's reads 77, for the tone of the whole alone."""
        return self._count(prompt)

    def memory(self) -> Memory | None:
        """Return what the last call took of the GPU's memory and what is left; None on a CPU."""
        if self._device.type != "cuda":
            return None
        free = int(_USABLE * free_memory(self._device)[0]) - self._prompts.room
        return Memory(free=max(0, free), per_token=self._per_token)

    def gpu_memory(self) -> dict[str, int]:
        """Return the bytes of the GPU's memory by kind; empty on a CPU."""
        return memory_by_kind(self._device)

    def _within_memory(self, key: BatchKey, rows: list[tuple[EditJob, int]]) -> list[Image.Image]:
        try:
            with self._observed(key.bucket, len(rows)), compiler_settings():
                return self._call(key, rows)
        except torch.OutOfMemoryError as error:
            traceback.clear_frames(error.__traceback__)  # they hold what the call had made
            wanted = re.search(r"Tried to allocate ([\d.]+ \w+)", str(error))
        if self._device.type != "cuda":
            raise OutOfMemory(key.bucket, len(rows))
        more = f"{wanted[1]} more are needed at a time, and " if wanted else ""
        raise OutOfMemory(key.bucket, len(rows), f" ({more}{in_gib(*free_memory(self._device))})")

    @contextmanager
    def _observed(self, bucket: Bucket, images: int) -> Iterator[None]:
        """Measure a call's memory, and tell of the compiler, which takes a minute where all is quiet otherwise."""
        is_new, begun, before = self.is_compiled and (bucket, images) not in self._known, time.monotonic(), 0
        if is_new:
            logger.info("compiling for %s, %d at a time", bucket, images)
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
            before = torch.cuda.memory_allocated(self._device)
        yield
        if self._device.type == "cuda":
            peak = torch.cuda.max_memory_allocated(self._device)
            self._per_token = (peak - before) / (images * bucket.tokens)
        if is_new:
            self._known.add((bucket, images))
            logger.info("compiled for %s, %d at a time, in %.1f s", bucket, images, time.monotonic() - begun)

    def _call(self, key: BatchKey, rows: list[tuple[EditJob, int]]) -> list[Image.Image]:
        width, height = key.bucket
        sequence, pooled = self._prompts.embed([job.prompt for job, _ in rows])
        negative: tuple[Any, Any] = (None, None)
        if key.true_cfg_scale > 1:
            negative = self._prompts.embed([job.negative_prompt or "" for job, _ in rows])
        with self._steps.over(key.steps, passes=2 if key.true_cfg_scale > 1 else 1):
            output = self.pipeline(
                image=to_device([job.image for job, _ in rows], self._device),
                prompt_embeds=sequence,
                pooled_prompt_embeds=pooled,
                negative_prompt_embeds=negative[0],
                negative_pooled_prompt_embeds=negative[1],
                # Without these the output is 1024 x 1024, whatever the input; and max_area shrinks some buckets.
                width=width,
                height=height,
                max_area=width * height,
                # The images are at the bucket's size already; the pipeline would take the first one's for all.
                _auto_resize=False,
                num_inference_steps=key.steps,
                guidance_scale=key.guidance,
                true_cfg_scale=key.true_cfg_scale,
                # One generator per row, on the CPU: its noise is the same whatever its neighbours and the device.
                generator=[torch.Generator("cpu").manual_seed(seed) for _, seed in rows],
                output_type="pt",
            )
        return to_pictures(output.images)
