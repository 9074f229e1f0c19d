"""What a model does before the first row: compile, prove that it works, and measure its memory."""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import NamedTuple

from worker.batching.budget import Budget, sizes
from worker.contract.buckets import Bucket
from worker.contract.errors import ModelError, OutOfMemory, one_line
from worker.contract.model_spec import ModelSpec
from worker.models.protocol import EditModel
from worker.models.selftest import job_for, run_selftest, usual_key


class WarmedUp(NamedTuple):
    """What came of it."""

    #: With what was measured of the memory.
    budget: Budget
    #: Most images in a call at a resolution where more were seen not to fit.
    fitting: dict[Bucket, int]
    #: Seconds.
    compiling: float
    proving: float


def warm_up(
    model: EditModel,
    spec: ModelSpec,
    *,
    buckets: Iterable[Bucket],
    budget: Budget,
    watched: Callable[[str], AbstractContextManager[object]],
) -> WarmedUp:
    """Compile the model for these resolutions, and have it edit the built-in picture.

    `watched` guards each call against hanging, given what is in it.

    Raises:
        ModelError: the model cannot be compiled, or the device's memory does not hold one image.
        Exception: whatever the model raises on the built-in picture.

    """
    fitting: dict[Bucket, int] = {}
    begun = time.monotonic()
    if model.is_compiled:
        for bucket in buckets:
            if (most := _compile(model, spec, bucket, budget, watched)) is not None:
                fitting[bucket] = most
    compiled = time.monotonic()
    with watched("the built-in picture"):
        try:
            run_selftest(model, spec, budget.task)
        except OutOfMemory as error:
            raise _too_small(error) from None
    measured = replace(budget, memory=model.memory())
    return WarmedUp(measured, fitting, compiling=compiled - begun, proving=time.monotonic() - compiled)


def _compile(
    model: EditModel,
    spec: ModelSpec,
    bucket: Bucket,
    budget: Budget,
    watched: Callable[[str], AbstractContextManager[object]],
) -> int | None:
    """Compile one resolution, for every size of a call that the memory holds; return the last where it ran out."""
    key = usual_key(spec, bucket, budget.task, steps=model.steps_to_compile)
    for images in sizes(budget.images_at(bucket)):
        if images > budget.images_at(bucket):
            break  # the smaller call has shown how much a larger one needs
        try:
            with watched(f"the compiler for {images} of {bucket}"):
                model.edit(key, [job_for(key)] * images, images)
        except OutOfMemory as error:
            if images == 1:
                raise _too_small(error) from None
            return images // 2
        except Exception as error:  # whatever a compiler comes to
            reason = one_line(f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0].rstrip('.')}")
            raise ModelError(
                f"The model cannot be compiled and run at {bucket} ({reason}); repair the compiler, or set"
                " FLEET_ATTENTION=native or FLEET_COMPILE=false."
            ) from error
        budget = replace(budget, memory=model.memory())
    return None


def _too_small(error: OutOfMemory) -> ModelError:
    return ModelError(
        f"The model has no room to work: one image does not fit beside its weights{error.memory};"
        " use a larger GPU, or end what else runs on it."
    )
