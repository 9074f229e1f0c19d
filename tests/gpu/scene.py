"""Where a part is run: on which device, at which size, and whether kernels are compiled."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch

from tests.gpu.catalog import Part
from tests.gpu.notes import Notes, Refused
from tests.support.place import PROJECT
from worker.contract.errors import ModelError
from worker.contract.profiles import PROFILES, Profile, ProfileName
from worker.models.speed.capabilities import Machine, machine_of
from worker.models.speed.device import leave_a_core
from worker.models.speed.requirements import require

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a part is given."""

    device: torch.device
    machine: Machine
    #: At the tiny size, as a rehearsal, whatever the device.
    is_tiny: bool
    compiled: bool
    #: Seconds that the part has.
    limit: float
    #: Of the results.
    folder: Path

    @classmethod
    def here(cls, folder: Path, *, tiny: bool, compiled: bool, limit: float) -> "Scene":
        """Look around: on a machine without a GPU everything is tiny."""
        on_gpu = torch.cuda.is_available()
        device = torch.device("cuda" if on_gpu else "cpu")
        if not on_gpu:
            leave_a_core()
        return cls(
            device=device,
            machine=machine_of(device),
            is_tiny=tiny or not on_gpu,
            compiled=compiled,
            limit=limit,
            folder=folder,
        )

    @property
    def size(self) -> str:
        """The bench's name of the size."""
        return "tiny" if self.is_tiny else "full"

    @property
    def kernels(self) -> Path:
        """Where compiled kernels are kept, from one part and one time to the next; not among the results."""
        named = os.environ.get("FLEET_COMPILE_CACHE")
        return Path(named).absolute() if named else PROJECT / "cache_local/gpu/compiled"

    def either(self, full: T, tiny: T) -> T:
        """Return one of both, by the size."""
        return tiny if self.is_tiny else full

    def profile(self, name: ProfileName) -> Profile:
        """Return a profile as it is measured here.

        Raises:
            ModelError: this machine cannot do it.

        """
        profile = PROFILES[name] if self.compiled else replace(PROFILES[name], compiled=False)
        require(profile, self.machine)
        return profile

    def profiles(self, notes: Notes, *names: ProfileName) -> list[ProfileName]:
        """Return those that this machine can do, and note why it cannot do the others.

        Raises:
            Refused: it can do none.

        """
        able: list[ProfileName] = []
        for name in names:
            try:
                self.profile(name)
            except ModelError as error:
                notes.fact(name, error)
                continue
            able.append(name)
        if not able:
            raise Refused(f"none of the profiles {', '.join(names)} can be done here: see below")
        return able

    def measured(self, call: Callable[[], object]) -> object:
        """Call, and wait for the device."""
        result = call()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return result


def prepare(part: Part, scene: Scene) -> Scene:
    """Return the scene as this part can use it.

    Raises:
        Refused: it cannot be done here.

    """
    lacks = scene.machine.lacks_compiler
    if scene.compiled and lacks:
        scene = replace(scene, compiled=False)
    if part.is_compiled and not scene.compiled:
        raise Refused(f"needs {lacks or 'compiled kernels, and was called with --no-compile'}")
    if scene.device.type == "cuda" and not scene.is_tiny:
        require_room(part, *torch.cuda.mem_get_info(scene.device))
    return scene


def require_seen(scene: Scene, *, gpu: bool) -> None:
    """Refuse to rehearse on a machine that has a GPU, by nvidia-smi, which PyTorch does not see.

    Raises:
        Refused: so it is.

    """
    if gpu and scene.device.type != "cuda":
        raise Refused(
            f"PyTorch {torch.__version__} finds no CUDA GPU, and nvidia-smi does: install one for the driver's CUDA"
        )


def require_room(part: Part, free: int, total: int) -> None:
    """Refuse a part whose model does not fit; bytes.

    Raises:
        Refused: it does not.

    """
    if free < part.gigabytes * 2**30:
        raise Refused(
            f"needs {part.gigabytes} GiB of the GPU's memory, and {free / 2**30:.1f} of {total / 2**30:.1f} GiB"
            " are free: end what else runs on it, or use a larger one"
        )
