"""Changes a pipeline's transformer as a profile says."""

import logging
from pathlib import Path
from typing import Any

from worker.contract.profiles import Profile
from worker.models.speed.attention import set_attention
from worker.models.speed.capabilities import Machine
from worker.models.speed.compiling import compile_blocks
from worker.models.speed.fp8 import to_fp8
from worker.models.speed.fusing import fuse_projections
from worker.models.speed.requirements import require
from worker.models.speed.stepping import StepCache

logger = logging.getLogger(__name__)


def tune(
    transformer: Any, profile: Profile, machine: Machine, compile_cache: Path, *, masked: bool = False
) -> StepCache:
    """Change a transformer that is on its device; return what decides which steps are computed.

    `masked`: it is called with tokens that none attends to.

    Raises:
        ModelError: this machine cannot do the profile.

    """
    require(profile, machine)
    fused = profile.fused and fuse_projections(transformer) > 0
    if profile.fp8:
        to_fp8(transformer)
    backend = set_attention(transformer, profile.attention, machine, masked=masked)
    if profile.compiled:
        compile_blocks(transformer, compile_cache)
    parts = {
        "compiled": profile.compiled,
        "fused": fused,
        "fp8": profile.fp8,
        f"one step of {profile.step_interval} computed": profile.step_interval > 1,
    }
    named = ", ".join(name for name, is_on in parts.items() if is_on) or "as diffusers does it"
    logger.info("profile %s on %s: %s; attention: %s", profile, machine.name, named, backend)
    return StepCache(transformer, profile.step_interval)
