"""Rows of the transformer depend on neither neighbours nor places at the real width, whose products are others."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support.wide import ROWS, forward_of, two_blocks
from worker.contract.profiles import PROFILES
from worker.models.speed.capabilities import machine_of
from worker.models.speed.compiling import compiler_settings
from worker.models.speed.fp8 import multiplies_fp8
from worker.models.speed.tuning import tune

#: By name: what is done to the blocks, of one kind of profile.
WAYS = {
    "reference": PROFILES["reference"],
    "fp8": replace(PROFILES["reference"], fp8=True),
    "exact": PROFILES["exact"],
    "fast": replace(PROFILES["fast"], step_interval=1),
}


@pytest.fixture(scope="module", params=WAYS)
def blocks(device: torch.device, kernels: Path, request: pytest.FixtureRequest) -> Any:
    """Build one block of each kind, as wide as the real model on a GPU, in one way after the other."""
    way = WAYS[request.param]
    if way.compiled and device.type == "cpu":
        pytest.skip("compiled on a GPU alone")
    if way.fp8 and not multiplies_fp8(device):
        pytest.skip("needs a device that multiplies in fp8")
    transformer = two_blocks(device)
    tune(transformer, way, machine_of(device), kernels)
    yield transformer
    torch.compiler.reset()


#: Tokens of a picture: 1024x1024, and a resolution whose tokens are no multiple of 16; on a CPU few.
@pytest.mark.parametrize(("width", "height"), [(64, 64), (47, 87)])
@torch.no_grad()
def test_rows_come_out_where_they_went_in(blocks: Any, device: torch.device, width: int, height: int) -> None:
    """Permuted, or with one of them repeated, each row is bitwise what it was."""
    tokens = width * height if device.type == "cuda" else width * height // 64
    forward = forward_of(blocks, tokens)
    order = [2, 0, 3, 1]
    with compiler_settings():
        straight = forward(range(ROWS))
        assert straight.isfinite().all()
        assert not torch.equal(straight[0], straight[1])
        assert torch.equal(forward(order), straight[order])
        assert torch.equal(forward([1] * ROWS), straight[[1] * ROWS])
