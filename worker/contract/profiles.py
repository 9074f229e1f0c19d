"""Profiles, pure: how the model's arithmetic is done, from plain to fast."""

from dataclasses import dataclass
from typing import Final, Literal

ProfileName = Literal["reference", "exact", "fast"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """What is done to the transformer; of all else (0.44 % of the arithmetic) only the autoencoder's layout changes."""

    name: ProfileName
    #: Whether its blocks are compiled, each shape for itself.
    compiled: bool
    #: diffusers' name of an attention backend; "auto": the best one that is there and rounds as bf16 does.
    attention: str
    #: Whether the projections of query, key and value are one matrix product.
    fused: bool
    #: Whether its linear layers multiply in fp8, with a scale of its own for every row of both matrices.
    fp8: bool
    #: Of so many denoising steps one is computed, and the others are extrapolated (TaylorSeer); 1: all are computed.
    step_interval: int

    def __str__(self) -> str:
        """Name the profile, and the parts that are not its own: `fast (fp8=False)`."""
        own = PROFILES[self.name]
        apart = [
            f"{part}={getattr(self, part)}" for part in self.__slots__ if getattr(self, part) != getattr(own, part)
        ]
        return f"{self.name} ({', '.join(apart)})" if apart else self.name


PROFILES: Final = {
    profile.name: profile
    for profile in (
        Profile(name="reference", compiled=False, attention="native", fused=False, fp8=False, step_interval=1),
        Profile(name="exact", compiled=True, attention="auto", fused=True, fp8=False, step_interval=1),
        # 2: 16 of 28 steps are computed; see computed_steps.
        Profile(name="fast", compiled=True, attention="auto", fused=True, fp8=True, step_interval=2),
    )
}

#: Denoising steps at the start that are always computed: there a picture takes its shape.
_FIRST: Final = 4


def computed_steps(steps: int, interval: int) -> tuple[bool, ...]:
    """Return for each denoising step whether it is computed: the first ones, every `interval`-th, and the last.

    Fixed, and the same for every row: a schedule that looks at the pictures takes one decision for all of a batch, and
    so lets a row depend on its neighbours. Of 28 steps 16 are computed at an interval of 2.
    """
    return tuple(step < _FIRST or (step - _FIRST + 1) % interval == 0 or step == steps - 1 for step in range(steps))


#: From the fastest to the one that runs everywhere.
BY_SPEED: Final = ("fast", "exact", "reference")
