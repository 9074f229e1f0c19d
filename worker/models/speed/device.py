"""The device that a model runs on: which, in what type, and with how much memory."""

import os

import torch

from worker.contract.errors import ModelError
from worker.contract.model_spec import ModelSpec


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


def dtype_on(device: torch.device) -> torch.dtype:
    """Return the type that the model runs in: bf16 on a GPU, fp32 on a CPU, most of which calculate slowly in bf16."""
    return torch.bfloat16 if device.type == "cuda" else torch.float32


def free_memory(device: torch.device) -> tuple[int, int]:
    """Return the bytes of a GPU that are free, and all that it has; what torch keeps in reserve is given back first."""
    torch.cuda.empty_cache()
    return torch.cuda.mem_get_info(device)


def memory_by_kind(device: torch.device) -> dict[str, int]:
    """Return the bytes of a GPU that this process has allocated and reserved, that are free, and all; {} of a CPU.

    Nothing is given back first: whoever looks on must not slow the model down.
    """
    if device.type != "cuda":
        return {}
    free, total = torch.cuda.mem_get_info(device)
    allocated, reserved = torch.cuda.memory_allocated(device), torch.cuda.memory_reserved(device)
    return {"allocated": allocated, "reserved": reserved, "free": free, "total": total}


def in_gib(free: int, total: int) -> str:
    """Say how much of a device's memory is free."""
    return f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB are free"


def leave_a_core() -> None:
    """Leave a core to the threads that decode, encode and talk to Redis.

    OpenMP's threads spin while they wait for each other. Measured on two busy cores, a batch of four at 304 x 208 and
    8 steps: 18.5 s with two threads, 1.6 s with one.
    """
    cores = os.cpu_count() or 2
    torch.set_num_threads(max(1, min(torch.get_num_threads(), cores - 1)))
