"""TaylorSeer over the whole transformer: of the denoising steps only some are computed, the others extrapolated."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.hooks.hooks import HookRegistry, ModelHook
from diffusers.hooks.taylorseer_cache import TaylorSeerState
from torch import nn

from worker.contract.profiles import computed_steps


class StepCache(ModelHook):
    """Extrapolates the transformer's output on steps that are not computed.

    diffusers' own TaylorSeer hooks the blocks inside, which then no longer compile as a whole; its arithmetic (paper:
    arXiv 2503.06923) is used here on the output of the last. Both passes of true CFG have a state of their own.
    """

    def __init__(self, transformer: nn.Module, interval: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._interval = interval
        self._plan: tuple[bool, ...] = ()
        self._states: list[TaylorSeerState] = []
        self._calls = 0
        self._dtype = torch.float32
        if interval == 1:
            return  # all are computed: the transformer is left as it is
        HookRegistry.check_if_exists_or_initialize(transformer).register_hook(self, "step_cache")

    @contextmanager
    def over(self, steps: int, passes: int) -> Iterator[None]:
        """Expect the calls of one denoising loop: `passes` of them for each step."""
        self._plan = computed_steps(steps, self._interval)
        self._states = [TaylorSeerState(taylor_factors_dtype=torch.float32) for _ in range(passes)]
        self._calls = 0
        try:
            yield
        finally:
            self._states = []  # they hold what the last steps have made

    def new_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Take the transformer's place in the loop; diffusers calls it."""
        del module
        step, which = divmod(self._calls, len(self._states))
        self._calls += 1
        state = self._states[which]
        state.current_step = step
        if not self._plan[step]:
            return tuple(predicted.to(self._dtype) for predicted in state.predict())
        forward: Any = self.fn_ref.original_forward
        outputs: tuple[Any, ...] = forward(*args, **kwargs)
        # What it may return besides is what it keeps of references, and no number of the picture.
        self._dtype = outputs[0].dtype
        # In bf16 the difference of two steps would be mostly rounding.
        state.update((outputs[0].float(),))
        return outputs
