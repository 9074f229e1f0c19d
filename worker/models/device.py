"""The device that a model runs on, and what this machine offers it."""

import os
import shlex
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import torch

from worker.catalog import ModelSpec
from worker.errors import ModelError
from worker.models.fp8 import multiplies_fp8


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a profile may ask for."""

    #: As a sentence names it.
    name: str
    is_gpu: bool
    #: CUDA's compute capability; None on a CPU.
    capability: tuple[int, int] | None
    #: Whether it multiplies in fp8.
    has_fp8: bool
    #: What kernels are built with and this machine lacks, and how to get it; None where nothing is missing.
    lacks_compiler: str | None


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


def machine_of(device: torch.device) -> Machine:
    """Look at this machine."""
    is_gpu = device.type == "cuda"
    return Machine(
        name=torch.cuda.get_device_name(device) if is_gpu else "this CPU",
        is_gpu=is_gpu,
        capability=torch.cuda.get_device_capability(device) if is_gpu else None,
        has_fp8=multiplies_fp8(device),
        lacks_compiler=_lacks("CC", "gcc", "clang") if is_gpu else _lacks("CXX", "g++", "clang++"),
    )


def _lacks(variable: str, *compilers: str) -> str | None:
    named = os.environ.get(variable)
    # It may hold more than a name: CC="ccache gcc".
    if not any(shutil.which(name) for name in (shlex.split(named)[:1] if named else compilers)):
        return f"a compiler ({named or compilers[0]}; in Debian: apt-get install {compilers[0]})"
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        return "Python's headers (in Debian: apt-get install python3-dev)"
    return None


def free_memory(device: torch.device) -> tuple[int, int]:
    """Return the bytes of a GPU that are free, and all that it has; what torch keeps in reserve is given back first."""
    torch.cuda.empty_cache()
    return torch.cuda.mem_get_info(device)


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
