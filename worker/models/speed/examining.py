"""`python -m worker.models.speed.examining`: what torch sees here, for `producer doctor`, which imports no torch.

Prints one JSON object. What it refuses, and in which words, is what a worker would at its start.
"""

import json
from typing import Any

import torch

from worker.contract.errors import ModelError
from worker.models.speed.capabilities import machine_of
from worker.models.speed.device import choose_device
from worker.models.speed.requirements import require
from worker.settings.fleet import Settings, load_settings


def examine(settings: Settings) -> dict[str, Any]:
    """Return what torch is, on which device the model would run, how, and why it cannot (`refusal`)."""
    found: dict[str, Any] = {
        "torch": str(torch.__version__),
        "cuda": torch.version.cuda,
        "device": None,
        "profile": None,
        "compiled": None,
        "lacks_compiler": None,
        "refusal": None,
    }
    try:
        device = choose_device(settings.spec)
        machine, profile = machine_of(device), settings.profile_on(gpu=device.type == "cuda")
        found |= {
            "device": machine.name,
            "profile": str(profile),
            "compiled": profile.compiled,
            "lacks_compiler": machine.lacks_compiler,
        }
        require(profile, machine)
    except ModelError as error:
        found["refusal"] = str(error)
    return found


if __name__ == "__main__":
    print(json.dumps(examine(load_settings())))  # noqa: T201 - its answer
