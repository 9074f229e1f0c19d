"""Which denoising steps are computed, and what stands in for the others."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.models.conftest import Load
from tests.support.jobs import edited, job, key
from worker.contract.profiles import computed_steps
from worker.models.speed.stepping import StepCache


@pytest.mark.parametrize(
    ("steps", "interval", "computed"),
    [
        (8, 1, "########"),
        (8, 2, "####.#.#"),
        (9, 2, "####.#.##"),  # the last is always computed
        (10, 3, "####..#..#"),
        (10, 100, "####.....#"),
        (4, 2, "####"),
        (2, 2, "##"),
        (28, 2, "####.#.#.#.#.#.#.#.#.#.#.#.#"),  # 16 of 28
    ],
)
def test_the_schedule_is_fixed(steps: int, interval: int, computed: str) -> None:
    """The first four steps, every n-th of the others, and the last."""
    assert "".join(".#"[is_computed] for is_computed in computed_steps(steps, interval)) == computed


class Line(nn.Module):
    """A network whose output is a straight line over its steps, or a curve."""

    def __init__(self, power: int) -> None:
        super().__init__()
        self._power = power
        #: The step of the next call, and those that came here.
        self.step = 0
        self.computed: list[int] = []

    def forward(self, offset: float) -> tuple[torch.Tensor]:
        """Return a point of the line."""
        self.computed.append(self.step)
        return (torch.tensor([offset + 3.0 * self.step**self._power]),)


def run(line: Line, cache: StepCache, steps: int, offsets: tuple[float, ...]) -> list[list[float]]:
    """Run a denoising loop with a pass for each offset; return each step's outputs."""
    outputs = []
    with cache.over(steps, passes=len(offsets)):
        for line.step in range(steps):
            outputs.append([line(offset)[0].item() for offset in offsets])
    return outputs


def test_what_changes_evenly_is_extrapolated_exactly() -> None:
    """A straight line comes out as computed, though half of its later steps are not."""
    line = Line(1)
    outputs = run(line, StepCache(line, 2), 9, (1.0,))
    assert line.computed == [0, 1, 2, 3, 5, 7, 8]
    assert outputs == [[1.0 + 3.0 * step] for step in range(9)]


def test_both_passes_of_true_cfg_have_a_line_of_their_own() -> None:
    """The negative instruction's pass is extrapolated from its own outputs."""
    line = Line(1)
    outputs = run(line, StepCache(line, 2), 8, (1.0, -50.0))
    assert outputs == [[1.0 + 3.0 * step, -50.0 + 3.0 * step] for step in range(8)]


def test_nothing_is_kept_from_one_picture_to_the_next() -> None:
    """A second loop begins anew, also where the first was broken off."""
    line = Line(2)
    cache = StepCache(line, 2)
    first = run(line, cache, 8, (1.0,))

    def break_off() -> None:
        with cache.over(8, passes=1):
            line(5.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert run(line, cache, 8, (1.0,)) == first


def test_an_interval_of_one_changes_nothing(load: Load) -> None:
    """Where every step is computed the pixels are those of the transformer alone, bit by bit."""
    rows = [job(1), job(2)]
    plain, cached = load(), load(step_interval=2)
    assert np.array_equal(edited(load(step_interval=1), key(), rows, 2), edited(plain, key(), rows, 2))
    assert not np.array_equal(edited(cached, key(), rows, 2), edited(plain, key(), rows, 2))
    assert np.array_equal(edited(cached, key(steps=4), rows, 2), edited(plain, key(steps=4), rows, 2))
