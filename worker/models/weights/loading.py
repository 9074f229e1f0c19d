"""Loading a checkpoint: safetensors straight onto the device, in the type that the model runs in."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import DiffusionPipeline

from worker.contract.errors import ModelError, one_line
from worker.models.speed.device import dtype_on, free_memory, in_gib
from worker.models.weights.checking import require_complete
from worker.models.weights.progress import loading_told

logger = logging.getLogger(__name__)


def load_pipeline(folder: Path, device: torch.device, parts: Callable[[Path], Mapping[str, Any]] = lambda _: {}) -> Any:
    """Load the pipeline from a folder, safetensors only: bf16 on CUDA, fp32 on the CPU.

    Each tensor goes from the file's pages to the device; the host holds no copy of the weights. `parts` loads those
    that diffusers is not to load itself.

    Raises:
        ModelError: the folder does not hold what model_index.json promises, or the device has no room for it.

    """
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    dtype = dtype_on(device)
    begun = time.monotonic()
    try:
        size = require_complete(folder) * dtype.itemsize
        if on_gpu := device.type == "cuda":
            require_room(size, *free_memory(device))
        with loading_told(size, partial(torch.cuda.memory_allocated, device)) if on_gpu else nullcontext():
            pipeline = DiffusionPipeline.from_pretrained(  # of the class that the folder names
                folder,
                dtype=dtype,
                use_safetensors=True,
                local_files_only=True,
                device_map=device.type,
                **parts(folder),
            )
    except ModelError:
        raise
    except torch.OutOfMemoryError:
        raise no_room(device) from None
    except Exception as error:  # a broken file makes its own library raise whatever it likes
        reason = one_line((str(error).strip() or type(error).__name__).splitlines()[0].rstrip("."))
        raise ModelError(f"The weights in {folder} cannot be loaded ({reason}); download them again.") from None
    pipeline.set_progress_bar_config(disable=True)
    took = time.monotonic() - begun
    rate = f"{size / 1e9:.2f} GB in {took:.1f} s, {size / 1e9 / took:.2f} GB/s"
    logger.info("weights: %s onto %s in %s (%s)", folder.name, device, str(dtype).removeprefix("torch."), rate)
    return pipeline


def no_room(device: torch.device) -> ModelError:
    """Return the error of a GPU whose memory ran out while the model was made ready."""
    memory = f": {in_gib(*free_memory(device))}" if device.type == "cuda" else ""
    return ModelError(f"The model does not fit on {device}{memory}; use a larger GPU, or end what else runs on it.")


def require_room(needed: int, free: int, total: int) -> None:
    """Refuse a model whose weights alone do not fit. All in bytes.

    Raises:
        ModelError: with both numbers.

    """
    if needed > free:
        raise ModelError(
            f"The model's weights need {needed / 2**30:.1f} GiB of the GPU's memory, and {in_gib(free, total)};"
            " use a larger GPU, or end what else runs on it."
        )
