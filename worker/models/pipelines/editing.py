"""Micro-batches through a pipeline of diffusers: what a family has to say, and all that is the same for every one."""

import logging
import re
import time
import traceback
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import torch
from PIL import Image
from torch import Tensor

from worker.batching.budget import Memory, split
from worker.batching.jobs import Adapter, BatchKey, EditJob
from worker.contract.errors import OutOfMemory, RowError
from worker.contract.lora import Lora
from worker.contract.profiles import Profile
from worker.contract.reading import Reading
from worker.models.adapters.adapters import Adapters
from worker.models.adapters.finding import Finder
from worker.models.pipelines.pixels import to_pictures
from worker.models.pipelines.prompts import Prompts
from worker.models.pipelines.tokens import TokenCounter
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


class PipelineEditor(EditModel):
    """A loaded pipeline that edits rows, each from its own pictures. A family says the four things below."""

    #: None where it takes no LoRAs.
    _adapters: Adapters | None = None
    #: Whether the transformer is called with a mask: not every kernel of attention takes one.
    masked: ClassVar[bool] = False

    @classmethod
    def parts(cls, folder: Path) -> Mapping[str, Any]:  # noqa: ARG003 - a default
        """Load what diffusers is not to load itself of a checkpoint, by name; most families have nothing."""
        return {}

    @abstractmethod
    def embedding(self, prompt: str) -> tuple[Tensor, ...]:
        """Return what the transformer reads of an instruction: tensors of one row each."""

    @abstractmethod
    def counter(self) -> TokenCounter:
        """Return what counts the tokens of an instruction."""

    @abstractmethod
    def passes(self, key: BatchKey) -> int:
        """Return how often the transformer runs in each step: twice where there is true CFG."""

    @abstractmethod
    def call(self, key: BatchKey, rows: Sequence[tuple[EditJob, int]]) -> Tensor:
        """Call the pipeline once, for rows and the seed of each; return (rows, 3, height, width), from 0 to 1.

        A row's picture must follow from its own job and seed alone, whatever its neighbours.
        """

    def __init__(self, pipeline: Any, profile: Profile, *, compile_cache: Path, prompt_cache: int) -> None:
        """Take a pipeline that is on its device, and change it as the profile says.

        `compile_cache` is the folder of compiled kernels, `prompt_cache` the bytes of kept embeddings.

        Raises:
            ModelError: this machine cannot do the profile.

        """
        #: diffusers' own.
        self.pipeline = pipeline
        self.device: torch.device = pipeline.device
        self.prompts = Prompts(self.embedding, prompt_cache)
        self._count = self.counter()
        set_layout(pipeline.vae, profile, self.device)
        self._steps = tune(pipeline.transformer, profile, machine_of(self.device), compile_cache, masked=self.masked)
        #: Shapes of a call that were compiled: everything of its key that shapes depend on, and its images.
        self._known: set[tuple[Any, ...]] = set()
        self._per_token = 0.0
        self.profile = str(profile)
        self.is_compiled = profile.compiled
        if self.device.type == "cpu":
            leave_a_core()

    @classmethod
    def load(
        cls, folder: Path, profile: Profile, *, device: torch.device, compile_cache: Path, prompt_cache: int
    ) -> Self:
        """Load the checkpoint of a folder onto the device; see `__init__`.

        Raises:
            ModelError: the folder holds no such checkpoint, or this machine cannot do the profile.

        """
        pipeline = load_pipeline(folder, device, cls.parts)
        try:
            loaded = cls(pipeline, profile, compile_cache=compile_cache, prompt_cache=prompt_cache)
        except torch.OutOfMemoryError:
            raise no_room(device) from None
        loaded.weights = identity_of(folder)
        return loaded

    def take_loras(self, finder: Finder, most: int) -> None:
        """Take LoRAs from now on, in `most` bytes of the device's memory; called before anything is compiled."""
        self._adapters = Adapters(self.pipeline, finder, most)

    def adapters(self, loras: Sequence[Lora]) -> tuple[Adapter, ...]:
        """Find LoRAs, and have them on the device."""
        if not loras:
            return ()
        if self._adapters is None:
            raise RowError(f"lora {loras[0].name}: this worker takes none; set FLEET_LORA_CACHE to some MiB.")
        return self._adapters.find(loras)

    def edit(self, key: BatchKey, jobs: Sequence[EditJob], most: int) -> list[list[Image.Image]]:
        """Edit rows of one key; return each row's images, of the bucket's size, in the rows' order.

        A row that wants several images is repeated, each with its own seed: the pipeline's own
        num_images_per_prompt pairs images and prompts wrongly in a batch. A call makes at most `most` images; where
        the model is compiled it makes 1, 2, 4, ... of them.

        Raises:
            OutOfMemory: the GPU has no room for a call.
            RowError: a LoRA is not there any more.

        """
        repeated = [one for job in jobs for one in job.each()]
        edited: list[Image.Image] = []
        while rest := repeated[len(edited) :]:
            size = split(len(rest), most)[0] if self.is_compiled else most
            edited += self._within_memory(key, rest[:size])
        results = iter(edited)
        return [[next(results) for _ in job.seeds] for job in jobs]

    def reading(self, prompt: str) -> Reading:
        """Count the tokens of an instruction by the model's own tokenizer."""
        return self._count(prompt)

    def memory(self) -> Memory | None:
        """Return what the last call took of the GPU's memory and what is left; None on a CPU."""
        if self.device.type != "cuda":
            return None
        free = int(_USABLE * free_memory(self.device)[0]) - self.prompts.room
        free -= self._adapters.room if self._adapters else 0
        return Memory(free=max(0, free), per_token=self._per_token)

    def gpu_memory(self) -> dict[str, int]:
        """Return the bytes of the GPU's memory by kind; empty on a CPU."""
        return memory_by_kind(self.device)

    def _adapted(self, key: BatchKey) -> AbstractContextManager[None]:
        return self._adapters.applied(key.adapters) if self._adapters and key.adapters else nullcontext()

    def _within_memory(self, key: BatchKey, rows: list[tuple[EditJob, int]]) -> list[Image.Image]:
        try:
            with (
                self._adapted(key),
                self._observed(key, len(rows)),
                compiler_settings(),
                self._steps.over(key.steps, passes=self.passes(key)),
            ):
                return to_pictures(self.call(key, rows))
        except torch.OutOfMemoryError as error:
            traceback.clear_frames(error.__traceback__)  # they hold what the call had made
            wanted = re.search(r"Tried to allocate ([\d.]+ \w+)", str(error))
        if self.device.type != "cuda":
            raise OutOfMemory(key.bucket, len(rows))
        more = f"{wanted[1]} more are needed at a time, and " if wanted else ""
        raise OutOfMemory(key.bucket, len(rows), f" ({more}{in_gib(*free_memory(self.device))})")

    @contextmanager
    def _observed(self, key: BatchKey, images: int) -> Iterator[None]:
        """Measure a call's memory, and tell of the compiler, which takes a minute where all is quiet otherwise."""
        layout = self._adapters.layout if self._adapters else ()
        bucket, shape = key.bucket, (key.shape, key.task, images, layout)
        is_new, begun, before = self.is_compiled and shape not in self._known, time.monotonic(), 0
        if is_new:
            logger.info("compiling for %s, %d at a time", bucket, images)
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
            before = torch.cuda.memory_allocated(self.device)
        yield
        if self.device.type == "cuda":
            peak = torch.cuda.max_memory_allocated(self.device)
            self._per_token = (peak - before) / (images * key.tokens)
        if is_new:
            self._known.add(shape)
            logger.info("compiled for %s, %d at a time, in %.1f s", bucket, images, time.monotonic() - begun)


def noise_of(rows: Sequence[tuple[EditJob, int]]) -> list[torch.Generator]:
    """Return a generator for each row, on the CPU: its noise is the same whatever its neighbours and the device."""
    return [torch.Generator("cpu").manual_seed(seed) for _, seed in rows]
