"""What holds in every profile: a row depends on no neighbour and no place, and a shape is compiled once."""

import numpy as np
import pytest
import torch

from tests.models.conftest import Load
from tests.support.jobs import edited, job, key
from worker.contract.model_spec import ModelSpec
from worker.models.pipelines.editing import PipelineEditor

#: Settings that reach every path of the arithmetic, together and compiled; and each alone.
WAYS = [
    {"profile": "reference"},
    pytest.param({"profile": "fast", "compile": False}, id="uncompiled"),
    {"profile": "exact"},
    *(
        pytest.param(way, marks=pytest.mark.thorough)
        for way in (
            {"profile": "reference", "fuse_qkv": True},
            {"profile": "reference", "fp8": True},
            {"profile": "reference", "step_interval": 2},
            {"profile": "exact", "step_interval": 2},
            {"profile": "fast"},
        )
    ),
]


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: "-".join(map(str, way.values())))
def model(spec: ModelSpec, load: Load, device: torch.device, request: pytest.FixtureRequest) -> PipelineEditor:
    """Load the tiny model in one way after the other."""
    if request.param["profile"] != "reference" and request.param.get("compile", True):
        without_compiler(spec, device)
    if request.param.get("fuse_qkv") and not spec.fuses:
        pytest.skip("refused for it")
    if spec.name == "tiny-klein-base" and not {"step_interval", "compile"} & request.param.keys():
        pytest.skip("its transformer is tiny-klein's, which has gone this way; steps of two passes are its own")
    return load(**request.param)


def without_compiler(spec: ModelSpec, device: torch.device) -> None:
    """Skip what takes a CPU's compiler a minute, but for one family; that all compile is tested by tracing them."""
    if device.type == "cpu" and spec.name != "tiny-kontext":
        pytest.skip("compiled on a GPU alone")


def test_a_row_is_the_same_among_any_neighbours_and_in_any_place(model: PipelineEditor) -> None:
    """Two at a time, a row's pixels are bitwise the same, first or second, beside whichever row, even beside itself."""
    steps = 6 if "step_interval" in model.profile or "fast" in model.profile else 2  # the first four are computed
    row, of = job(1), key(steps=steps)
    first = edited(model, of, [row, job(2)], 2)[0]
    for jobs, place in (([row, job(3)], 0), ([job(2), row], 1), ([row, row], 0), ([row, row], 1)):
        assert np.array_equal(edited(model, of, jobs, 2)[place], first)


def test_what_was_compiled_once_is_not_compiled_again(model: PipelineEditor) -> None:
    """Other pictures, instructions, seeds, steps and guidances of a shape, and true CFG, need no compiler any more."""
    if not model.is_compiled:
        pytest.skip("nothing was compiled")
    model.edit(key(steps=model.steps_to_compile), [job(1), job(2)], 2)
    with torch.compiler.set_stance("fail_on_recompile"):
        model.edit(key(steps=7), [job(4), job(5)], 2)
        model.edit(key(steps=2)._replace(guidance=1.0), [job(4), job(5)], 2)
        model.edit(key(steps=3, true_cfg_scale=2.0), [job(6, negative="blurry"), job(7, negative="")], 2)


def test_blocks_compile_as_a_whole_and_for_any_prompt(spec: ModelSpec, load: Load, device: torch.device) -> None:
    """Each kind of block is traced once for a shape, whole, with whatever rows: without building kernels."""
    if device.type == "cuda" or spec.name in {"tiny-kontext", "tiny-klein-base"}:
        pytest.skip("it is compiled above, or its blocks are tiny-klein's")
    model = load(profile="exact", compile=False)
    model.pipeline.transformer.compile_repeated_blocks(fullgraph=True, dynamic=False, backend="eager")
    rows = edited(model, key(steps=model.steps_to_compile), [job(1), job(2)], 2)
    with torch.compiler.set_stance("fail_on_recompile"):
        again = edited(model, key(steps=model.steps_to_compile), [job(2), job(1)], 2)
        edited(model, key(steps=4), [job(2), job(1)], 2)
    assert np.array_equal(again[::-1], rows)


def test_exact_differs_from_the_reference_by_rounding_alone(model: PipelineEditor, load: Load) -> None:
    """Compiled and fused, the pixels are those of diffusers' own arithmetic to 1/255 (fp32), or to a few (bf16)."""
    if model.profile != "exact":
        pytest.skip("another profile")
    reference, rows = load(profile="reference"), [job(1), job(2)]
    pairs = zip(edited(reference, key(), rows, 2), edited(model, key(), rows, 2), strict=True)
    farthest = max(int(np.abs(one.astype(int) - other).max()) for one, other in pairs)
    assert farthest <= (1 if reference.pipeline.dtype == torch.float32 else 32)
