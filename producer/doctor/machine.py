"""GPU and driver by the driver's own tool, and what a worker would say of this machine: torch is asked in a child."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from producer.doctor.finding import Finding, broken, note, well
from producer.doctor.packages import installed
from producer.local.workers import environment
from worker.contract.errors import one_line
from worker.settings.fleet import Settings

_QUERY: Final = "index,name,driver_version,memory.free,memory.total"

#: Seconds for the driver's tool, and for torch, whose first import from a cold disk may take a minute.
_DRIVER: Final = 20
_TORCH: Final = 180


def look_at_gpus(settings: Settings) -> Iterator[Finding]:
    """Name the GPUs that the driver knows, with their memory; whether torch can use them is another matter."""
    command = ["nvidia-smi", f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_DRIVER)  # noqa: S603 - our own command line
    except FileNotFoundError:
        yield _no_gpu(settings, "there is no NVIDIA driver here (no nvidia-smi)")
        return
    except (OSError, subprocess.TimeoutExpired) as error:
        yield broken("GPU", f"nvidia-smi does not answer ({one_line(error)})", "see dmesg; a restart may help")
        return
    if told.returncode:
        reason = one_line((told.stdout + told.stderr).strip().splitlines()[0].rstrip(".") or "it says nothing")
        yield broken("GPU", f"nvidia-smi fails ({reason})", "install the driver again, or restart the machine")
        return
    yield from gpus_found(told.stdout, settings)


def gpus_found(table: str, settings: Settings) -> Iterator[Finding]:
    """Say what nvidia-smi's table holds."""
    cells = ([cell.strip() for cell in row] for row in csv.reader(table.splitlines()))
    rows = [row for row in cells if len(row) == len(_QUERY.split(","))]
    if not rows:
        yield _no_gpu(settings, "the driver knows no GPU")
    for number, name, driver, free, total in rows:
        memory = f"{_gib(free)} of {_gib(total)} GiB are free" if free.isdecimal() and total.isdecimal() else free
        yield well("GPU", f"{number}: {name}, {memory}, driver {driver}")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if rows and visible is not None:
        yield note("GPU", f"CUDA_VISIBLE_DEVICES={visible} hides all others", "unset it where that is not meant")


def _no_gpu(settings: Settings, found: str) -> Finding:
    if settings.spec.needs_cuda:
        return broken("GPU", f"{found}, and {settings.spec.name} needs one", "use --for submit where others edit")
    return well("GPU", f"{found}, and {settings.spec.name} needs none")


def _gib(mib: str) -> str:
    return f"{int(mib) / 1024:.1f}"


def look_at_torch(settings: Settings) -> Iterator[Finding]:
    """Have a child import torch and say what a worker would: whether it finds the GPU, and can do the profile."""
    if installed("torch") is None:  # the packages' finding says so
        return
    # -P: what lies in the current folder is none of ours.
    command = [sys.executable, "-P", "-m", "worker.models.speed.examining"]
    try:
        told = subprocess.run(  # noqa: S603 - our own command line
            command, env=environment(settings), capture_output=True, text=True, check=True, timeout=_TORCH
        )
        facts = json.loads(told.stdout)
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().splitlines()[-1:] or [f"exit code {error.returncode}"]
        yield broken("torch", f"it cannot be imported ({one_line(last[0])})", "pip install '.[worker]' again")
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        yield broken("torch", f"it does not answer ({one_line(error)})", "pip install '.[worker]' again")
    else:
        yield from torch_found(facts)


def torch_found(facts: Mapping[str, Any]) -> Iterator[Finding]:
    """Say what the child has told."""
    cuda = f"CUDA {facts['cuda']}" if facts["cuda"] else "no CUDA in this build"
    torch = f"torch {facts['torch']} ({cuda})"
    if facts["device"] is None:
        yield broken("torch", _clause(facts["refusal"]), _for_cuda(facts))
        return
    yield well("torch", f"{torch} calculates on {facts['device']}")
    lacks = facts["lacks_compiler"]
    if facts["refusal"]:
        yield broken("profile", _clause(facts["refusal"]))
    else:
        yield well("profile", f"{facts['profile']} can be done here")
    if lacks is None:
        yield well("compiler", "there is what kernels are built with")
    elif not facts["compiled"]:
        yield well("compiler", f"kernels could not be built for want of {lacks}, and the profile builds none")


def _clause(sentence: str) -> str:
    return sentence.rstrip(".")


def _for_cuda(facts: Mapping[str, Any]) -> str:
    if not facts["cuda"]:
        return "where there is a GPU, install a build of torch with CUDA"
    return f"where there is a GPU, see that its driver is new enough for CUDA {facts['cuda']}"
