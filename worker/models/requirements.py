"""Whether a machine can do a profile, pure: what it lacks, and which profile would work."""

from collections.abc import Iterator
from typing import Final

from worker.errors import ModelError
from worker.models.device import Machine
from worker.profiles import BY_SPEED, PROFILES, Profile

#: Compute capability of the first GPUs that multiply in fp8 (Ada; NVIDIA's CUDA programming guide), and of the first
#: that Triton, the compiler behind torch.compile, has kernels for (its README).
_FP8: Final = (8, 9)
_TRITON: Final = (7, 0)


def require(profile: Profile, machine: Machine) -> None:
    """Refuse a profile that a machine cannot do.

    Raises:
        ModelError: one sentence that names what is missing, and a profile that works.

    """
    if missing := " and ".join(_missing(profile, machine)):
        works = next(name for name in BY_SPEED if not list(_missing(PROFILES[name], machine)))
        beside = "" if profile == PROFILES[profile.name] else ", with what is set beside it,"
        raise ModelError(f"FLEET_PROFILE={profile.name}{beside} needs {missing}; FLEET_PROFILE={works} works here.")


def _missing(profile: Profile, machine: Machine) -> Iterator[str]:
    if profile.fp8 and not machine.has_fp8:
        yield f"a GPU that multiplies in fp8 (compute capability {_said(_FP8)}; {_owned(machine)})"
    if profile.compiled and machine.lacks_compiler:
        yield machine.lacks_compiler
    if profile.compiled and machine.capability is not None and machine.capability < _TRITON:
        yield f"a GPU that kernels can be compiled for (compute capability {_said(_TRITON)}; {_owned(machine)})"


def _owned(machine: Machine) -> str:
    return f"{machine.name} has {'none' if machine.capability is None else _said(machine.capability)}"


def _said(capability: tuple[int, int]) -> str:
    return ".".join(map(str, capability))
