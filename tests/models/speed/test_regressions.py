"""What makes a model slower shows without a GPU: more arithmetic in a picture, and more graphs to compile."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch._dynamo.utils import counters

from tests.support.work import META, arguments, flop_by_operator
from worker.contract.catalog import MODELS
from worker.contract.profiles import PROFILES, ProfileName, computed_steps
from worker.models.klein import architecture as klein
from worker.models.kontext import architecture as kontext
from worker.models.speed.capabilities import Machine
from worker.models.speed.compiling import compiler_settings
from worker.models.speed.fp8 import multiplies_fp8
from worker.models.speed.tuning import tune

CPU = torch.device("cpu")
HOPPER = Machine(name="NVIDIA H200", is_gpu=True, capability=(9, 0), has_fp8=True, lacks_compiler=None)

#: What multiplies by weights; of a transformer's arithmetic the rest is attention.
LINEAR = {"aten.addmm", "aten.mm", "aten._scaled_mm"}


class Family(NamedTuple):
    """A model at its real size, and what a pass over 8704 tokens comes to, a megapixel with its reference."""

    build: Callable[[], Any]
    spec: str
    #: TFLOP of a pass; of the linear layers those that a profile leaves out of fp8, for what is not in the blocks.
    linear: float
    attention: float
    outside: float


FAMILIES = {
    "kontext": Family(
        lambda: kontext.build(kontext.FULL, device=META, dtype=torch.bfloat16), "FLUX-Kontext", 112.395, 53.063, 0.026
    ),
    "klein": Family(
        lambda: klein.build(klein.FULL_4B, distilled=True, device=META, dtype=torch.bfloat16),
        "FLUX.2-klein",
        53.429,
        23.273,
        0.037,
    ),
}

#: Of each kind of block as many as show that a graph serves them all.
DEPTH = {"num_layers": 3, "num_single_layers": 3}


def tuned(transformer: Any, profile: ProfileName, kernels: Path) -> Any:
    """Change a transformer as a profile does on a Hopper, but for the attention's kernel and the compiler."""
    way = replace(PROFILES[profile], compiled=False, attention="native", step_interval=1)
    with torch.no_grad():
        tune(transformer, way, HOPPER, kernels)
    return transformer


# The reference's is what the catalog says: `tests/models/families/test_work.py`.
@pytest.mark.parametrize("profile", ["exact", "fast"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_pass_costs_what_it_did(family: str, profile: ProfileName, tmp_path: Path) -> None:
    """No profile multiplies more than diffusers does; in `fast` all of the blocks' linear layers are in fp8."""
    known = FAMILIES[family]
    found = flop_by_operator(tuned(known.build().transformer, profile, tmp_path), 8704)
    linear = sum(count for operator, count in found.items() if operator in LINEAR)
    assert linear / 1e12 == pytest.approx(known.linear, rel=1e-4)
    assert (sum(found.values()) - linear) / 1e12 == pytest.approx(known.attention, rel=1e-4)
    not_in_fp8 = linear - found.get("aten._scaled_mm", 0)
    assert not_in_fp8 / 1e12 == pytest.approx(known.outside if profile == "fast" else known.linear, abs=1e-3)


@pytest.mark.parametrize(
    ("family", "profile", "pflop"),
    [
        ("kontext", "reference", 4.633),
        ("kontext", "exact", 4.633),
        ("kontext", "fast", 2.647),
        ("klein", "reference", 0.3068),
        ("klein", "exact", 0.3068),
        ("klein", "fast", 0.3068),
    ],
)
def test_a_picture_costs_what_it_did(family: str, profile: ProfileName, pflop: float) -> None:
    """Of a megapixel, in the model's own steps: those that are computed, by what the test above counts of a pass."""
    known = FAMILIES[family]
    steps = sum(computed_steps(MODELS[known.spec].steps, PROFILES[profile].step_interval))
    assert steps * (known.linear + known.attention) / 1e3 == pytest.approx(pflop, rel=1e-3)


@pytest.mark.parametrize("profile", ["exact", pytest.param("fast", marks=pytest.mark.thorough)])
@pytest.mark.parametrize(("family", "graphs"), [("kontext", 3), ("klein", 2)])
def test_a_shape_takes_as_few_graphs_as_it_did(family: str, graphs: int, profile: ProfileName, tmp_path: Path) -> None:
    """Kontext's double block, and its single one for both ways in which its input may lie; none breaks in two.

    Each is compiled for every resolution and size of a call, for ten seconds or more on a GPU.
    """
    if profile == "fast" and not multiplies_fp8(CPU):
        pytest.skip("needs a device that multiplies in fp8; of CPUs torch 2.13 is the first to do so")
    transformer = tuned(tiny(family), profile, tmp_path)
    transformer.compile_repeated_blocks(fullgraph=True, dynamic=False, backend="eager")
    counters.clear()
    with torch.no_grad(), compiler_settings():
        for _ in range(2):
            transformer(**arguments(transformer, 64, 16, CPU))
            assert counters["stats"]["unique_graphs"] == graphs
    assert not counters["graph_break"]
    torch.compiler.reset()


def tiny(family: str) -> Any:
    """Build a transformer that is narrow, but deep enough."""
    if family == "kontext":
        narrow: Any = replace(kontext.TINY, transformer={**kontext.TINY.transformer, **DEPTH})
        return kontext.build(narrow, device=CPU, dtype=torch.float32).transformer
    narrow = replace(klein.TINY, transformer={**klein.TINY.transformer, **DEPTH})
    return klein.build(narrow, distilled=True, device=CPU, dtype=torch.float32).transformer
