"""What there is to measure, in its order: plain diffusers, then each profile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from worker.bench.editors import Editor, Profiled
from worker.bench.plain import Plain, images_of_plain
from worker.bench.results import NOT_MEASURED, PLAIN, Measured
from worker.bench.sizes import Shape, Size
from worker.contract.profiles import PROFILES, Profile, ProfileName, computed_steps


class Part(NamedTuple):
    """One profile, and how it is measured."""

    measured: Measured
    #: Takes a new pipeline.
    edit_with: Callable[[Any], Editor]
    #: Whole calls to make, at most.
    whole: int


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the user asked for."""

    size: Size
    profiles: Sequence[ProfileName]
    #: Attention backends; none named: each profile's own.
    attention: Sequence[str]
    #: Whether profiles that compile do.
    compiled: bool
    shapes: tuple[Shape, ...]
    photos: int
    #: The folder of compiled kernels.
    compile_cache: Path


def parts_of(wanted: Wanted) -> list[Part]:
    """Return what is measured, the slowest first: the others are measured against it."""
    images = images_of_plain(wanted.size.spec)
    found = [] if images is None else [_plain(wanted, images)]
    for name in wanted.profiles:
        for attention in wanted.attention or [PROFILES[name].attention]:
            profile = replace(PROFILES[name], attention=attention)
            label = name if not wanted.attention else f"{name}, {attention}"
            if profile.compiled and not wanted.compiled:
                profile, label = replace(profile, compiled=False), f"{label}, not compiled"
            found.append(_profile(wanted, profile, label))
    return found


def _plain(wanted: Wanted, images: int) -> Part:
    spec = wanted.size.spec
    measured = Measured(
        label=PLAIN,
        compiled=False,
        fp8=False,
        steps=spec.steps,
        computed=spec.steps,
        rows={Shape(spec.square, images): NOT_MEASURED},
    )
    return Part(measured, partial(Plain, spec=spec), whole=0)


def _profile(wanted: Wanted, profile: Profile, label: str) -> Part:
    spec = wanted.size.spec
    measured = Measured(
        label=label,
        compiled=profile.compiled,
        fp8=profile.fp8,
        steps=spec.steps,
        computed=sum(computed_steps(spec.steps, profile.step_interval)),
        rows=dict.fromkeys(wanted.shapes, NOT_MEASURED),
    )
    edit_with = partial(Profiled, spec=spec, profile=profile, compile_cache=wanted.compile_cache)
    # The slow one confirms its sum with a single photograph; the others need them all to be compared.
    return Part(measured, edit_with, whole=1 if profile.name == "reference" else wanted.photos)
