"""What a measurement was made on, with and of."""

import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import torch

from worker.contract.model_spec import ModelSpec

_PACKAGES = ("triton", "diffusers", "transformers")


def describe(device: torch.device, spec: ModelSpec, weights: str, arguments: Sequence[str]) -> dict[str, str]:
    """Return what a reader needs to judge the numbers, by name."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "device": _gpu(device) if device.type == "cuda" else _cpu(),
        "model": _model(spec),
        "packages": ", ".join([f"Python {platform.python_version()}", f"torch {torch.__version__}", *_versions()]),
        "weights": weights,
        "command": shlex.join(["python", "-m", "worker.bench", *arguments]),
    }


def _model(spec: ModelSpec) -> str:
    if not spec.checkpoints:
        return spec.name
    return f"{spec.name}, as large as {spec.weights} (licence: {spec.checkpoints[0].licence})"


def _gpu(device: torch.device) -> str:
    found = torch.cuda.get_device_properties(device)
    memory = f"{found.total_memory / 2**30:.0f} GiB"
    return f"{found.name}, {memory}, driver {_driver()}, CUDA {torch.version.cuda}; {_cpu()}"


def _cpu() -> str:
    return f"{platform.machine()} CPU with {os.cpu_count()} cores, torch's threads: {torch.get_num_threads()}"


def _driver() -> str:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "unknown"
    asked = [tool, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True)  # noqa: S603 - no user's text
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return (found.stdout.splitlines() or ["unknown"])[0].strip()


def _versions() -> list[str]:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # triton is there on a GPU only
            continue
    return found
