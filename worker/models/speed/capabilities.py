"""What this machine offers, as far as a profile may ask for it."""

import os
import shlex
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import torch

from worker.models.speed.fp8 import multiplies_fp8


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
