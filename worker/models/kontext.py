"""FLUX.1-Kontext through diffusers' FluxKontextPipeline; the demo model goes the same way."""

import logging
import os
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import diffusers
import torch
import transformers
from diffusers import FluxKontextPipeline
from PIL import Image

from worker.batching import BatchKey, EditJob
from worker.catalog import ModelSpec
from worker.errors import ModelError, OutOfMemory

logger = logging.getLogger(__name__)


def choose_device(spec: ModelSpec) -> torch.device:
    """Return CUDA's device where there is one, else the CPU.

    Raises:
        ModelError: the model needs CUDA and there is none.

    """
    if torch.cuda.is_available():
        return torch.device("cuda")
    if spec.needs_cuda:
        raise ModelError(
            f"{spec.name} needs a CUDA GPU and PyTorch {torch.__version__} finds none; "
            "run on a machine with one, or try FLEET_DIFFUSER_MODEL_NAME=demo."
        )
    return torch.device("cpu")


class Kontext:
    """A loaded FluxKontextPipeline."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline

    @property
    def transformer(self) -> torch.nn.Module:
        """The network that takes nearly all of the time and of the memory."""
        module: torch.nn.Module = self._pipeline.transformer
        return module

    @classmethod
    def load(cls, folder: Path, *, device: torch.device) -> Self:
        """Load the pipeline from a folder, safetensors only: bf16 on CUDA, fp32 on the CPU.

        Raises:
            ModelError: the folder does not hold what model_index.json promises.

        """
        diffusers.utils.logging.disable_progress_bar()
        transformers.utils.logging.disable_progress_bar()
        if device.type == "cpu":
            _leave_a_core()
        dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
        begun = time.monotonic()
        try:
            pipeline = FluxKontextPipeline.from_pretrained(
                folder, dtype=dtype, use_safetensors=True, local_files_only=True
            )
            pipeline.to(device)
        except torch.OutOfMemoryError:
            free, total = (size / 2**30 for size in torch.cuda.mem_get_info(device))
            raise ModelError(
                f"The model does not fit on {device}: {free:.1f} of {total:.1f} GiB are free; use a larger GPU."
            ) from None
        except Exception as error:  # a broken file makes its own library raise whatever it likes
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ModelError(f"The weights in {folder} cannot be loaded ({reason}); download them again.") from None
        pipeline.set_progress_bar_config(disable=True)
        logger.info("loaded %s on %s (%s) in %.1f s", folder.name, device, dtype, time.monotonic() - begun)
        return cls(pipeline)

    def edit(self, key: BatchKey, jobs: Sequence[EditJob], most: int) -> list[list[Image.Image]]:
        """Edit rows of one key; return each row's images, of the bucket's size, in the rows' order.

        A row that wants several images is repeated, each with its own seed: the pipeline's own
        num_images_per_prompt pairs images and prompts wrongly in a batch. A call makes at most `most` images.

        Raises:
            OutOfMemory: the GPU has no room for a call.

        """
        repeated = [(job, seed) for job in jobs for seed in job.seeds]
        edited: list[Image.Image] = []
        for start in range(0, len(repeated), most):
            edited += self._within_memory(key, repeated[start : start + most])
        results = iter(edited)
        return [[next(results) for _ in job.seeds] for job in jobs]

    def _within_memory(self, key: BatchKey, rows: list[tuple[EditJob, int]]) -> list[Image.Image]:
        try:
            return self._call(key, rows)
        except torch.OutOfMemoryError as error:
            traceback.clear_frames(error.__traceback__)  # they hold what the call had made
        torch.cuda.empty_cache()  # what is left in pieces would be missing for a smaller call; nothing without CUDA
        raise OutOfMemory(key.bucket, len(rows), _free_memory())

    def _call(self, key: BatchKey, rows: list[tuple[EditJob, int]]) -> list[Image.Image]:
        width, height = key.bucket
        negative = [job.negative_prompt for job, _ in rows] if key.true_cfg_scale > 1 else None
        output = self._pipeline(
            image=[job.image for job, _ in rows],
            prompt=[job.prompt for job, _ in rows],
            # Without these the output is 1024 x 1024, whatever the input; and max_area shrinks some buckets.
            width=width,
            height=height,
            max_area=width * height,
            # The images are at the bucket's size already; the pipeline would take the first one's for all.
            _auto_resize=False,
            num_inference_steps=key.steps,
            guidance_scale=key.guidance,
            negative_prompt=negative,
            true_cfg_scale=key.true_cfg_scale,
            # One generator per row, on the CPU: its noise is the same whatever its neighbours and the device.
            generator=[torch.Generator("cpu").manual_seed(seed) for _, seed in rows],
            output_type="pil",
        )
        return list(output.images)


def _free_memory() -> str:
    if not torch.cuda.is_available():
        return ""
    free, total = (size / 2**30 for size in torch.cuda.mem_get_info())
    return f" ({free:.1f} of {total:.1f} GiB are free)"


def _leave_a_core() -> None:
    """Leave a core to the threads that decode, encode and talk to Redis.

    OpenMP's threads spin while they wait for each other. Measured on two busy cores, a batch of four at 304 x 208 and
    8 steps: 18.5 s with two threads, 1.6 s with one.
    """
    cores = os.cpu_count() or 2
    torch.set_num_threads(max(1, min(torch.get_num_threads(), cores - 1)))
