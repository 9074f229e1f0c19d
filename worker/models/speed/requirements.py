"""Whether a machine can do a profile, pure: what it lacks, and which profile would work."""

from collections.abc import Iterator
from typing import Final

from worker.contract.errors import ModelError
from worker.contract.profiles import BY_SPEED, PROFILES, Profile
from worker.models.speed.capabilities import Machine

#: Compute capability of the first GPUs that multiply in fp8 (Ada; NVIDIA's CUDA programming guide), and of the first
#: that torch compiles bf16 for (its `_check_triton_bf16_support`).
_FP8: Final = (8, 9)
_COMPILED: Final = (8, 0)

_VARIABLES: Final = {"fp8": "FLEET_FP8", "compiled": "FLEET_COMPILE"}


def require(profile: Profile, machine: Machine) -> None:
    """Refuse a profile that a machine cannot do.

    Raises:
        ModelError: one sentence that names what is missing, and a profile that works.

    """
    for part, what in _missing(profile, machine):
        if not getattr(PROFILES[profile.name], part):
            raise ModelError(f"{_VARIABLES[part]}=true needs {what}; unset it.")
    if missing := " and ".join(what for _, what in _missing(profile, machine)):
        works = next(name for name in BY_SPEED if not list(_missing(PROFILES[name], machine)))
        raise ModelError(f"FLEET_PROFILE={profile.name} needs {missing}; FLEET_PROFILE={works} works here.")


def _missing(profile: Profile, machine: Machine) -> Iterator[tuple[str, str]]:
    """Name the parts of a profile that lack something, and what."""
    if profile.fp8 and not machine.has_fp8:
        yield "fp8", f"a GPU that multiplies in fp8 (compute capability {_said(_FP8)}; {_owned(machine)})"
    if profile.compiled and machine.lacks_compiler:
        yield "compiled", machine.lacks_compiler
    if profile.compiled and machine.capability is not None and machine.capability < _COMPILED:
        yield (
            "compiled",
            f"a GPU that kernels can be compiled for (compute capability {_said(_COMPILED)}; {_owned(machine)})",
        )


def _owned(machine: Machine) -> str:
    return f"{machine.name} has {'none' if machine.capability is None else _said(machine.capability)}"


def _said(capability: tuple[int, int]) -> str:
    return ".".join(map(str, capability))
