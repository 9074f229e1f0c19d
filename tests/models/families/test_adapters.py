"""LoRAs change the rows that name them, as diffusers' own do, and no others."""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.models.conftest import Load
from tests.models.families.test_profiles import without_compiler
from tests.support.jobs import edited, job, key
from tests.support.loras import LAYERS, lora, save
from worker.batching.jobs import EditJob
from worker.contract.catalog import MODELS
from worker.contract.errors import RowError
from worker.contract.lora import Lora
from worker.contract.model_spec import ModelSpec
from worker.models.pipelines.editing import PipelineEditor

STEPS = 2
ROWS = [job(1), job(2)]

Pictures = list[np.ndarray[Any, Any]]
Edit = Callable[..., Pictures]


@pytest.fixture(scope="module", autouse=True)
def _one_of_a_kind(spec: ModelSpec) -> None:
    if spec.name == "tiny-klein-base":
        pytest.skip("its transformer is tiny-klein's")


@pytest.fixture(scope="module")
def loras(load: Load, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of LoRAs for the family's tiny model."""
    folder = tmp_path_factory.mktemp("loras")
    pipeline = load(profile="reference", takes_loras=False).pipeline
    save(pipeline, lora(pipeline.transformer, 1), folder / "a")
    save(pipeline, lora(pipeline.transformer, 2, rank=6), folder / "b")
    save(pipeline, lora(pipeline.transformer, 3, layers=(LAYERS[1], LAYERS[-1], LAYERS[-2])), folder / "c")
    return folder


#: Every path of the arithmetic: a layer as it is, several in one, and beside weights in fp8.
WAYS = [{"profile": "reference"}, {"profile": "fast", "compile": False}]


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: way["profile"])
def model(load: Load, request: pytest.FixtureRequest) -> PipelineEditor:
    """Load the model once for each way of calculating."""
    return load(**request.param)


@pytest.fixture(scope="module")
def edit(model: PipelineEditor, loras: Path) -> Edit:
    """Edit rows with LoRAs by name."""
    return editing(model, loras)


def editing(model: PipelineEditor, loras: Path) -> Edit:
    """Return what edits rows with LoRAs of a folder, given the weight of each."""

    def edit(rows: list[EditJob] = ROWS, **weights: float) -> Pictures:
        found = model.adapters([Lora(str(loras / name), weight) for name, weight in weights.items()])
        return [
            picture.astype(int) for picture in edited(model, key(steps=STEPS)._replace(adapters=found), rows, len(rows))
        ]

    return edit


def distance(some: Pictures, others: Pictures) -> float:
    """Return the mean difference of the nearest two, of 255."""
    return min(float(np.abs(one - other).mean()) for one, other in zip(some, others, strict=True))


def test_each_changes_the_picture_as_much_as_it_weighs(edit: Edit) -> None:
    """Another one, another weight and another one besides show; none of weight 0 is none, to 1 of 255."""
    plain, one = edit(), edit(a=1)
    assert distance(one, plain) > 8
    assert distance(edit(b=1), one) > 8
    assert distance(edit(a=0.5), one) > 2
    assert distance(edit(a=0.5), plain) > 2
    assert distance(edit(a=1, b=1), one) > 8
    assert max(np.abs(a - b).max() for a, b in zip(edit(a=0), plain, strict=True)) <= 1


def test_nothing_of_it_stays(edit: Edit) -> None:
    """After a call with one, or several, a row without is bitwise what it was before, and so is a row with another."""
    plain, other = edit(), edit(c=0.7)
    edit(a=1, b=-1)
    assert np.array_equal(edit(), plain)
    edit(a=1)
    assert np.array_equal(edit(c=0.7), other)


def test_a_row_is_the_same_among_any_neighbours(edit: Edit) -> None:
    """With a LoRA, too, its pixels are bitwise its own, and rows keep their order."""
    first, second = edit([job(1), job(2)], a=1)
    assert np.array_equal(edit([job(1), job(3)], a=1)[0], first)
    assert np.array_equal(edit([job(2), job(1)], a=1), [second, first])


def test_a_call_that_fails_leaves_nothing_behind(
    edit: Edit, model: PipelineEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither does one that ends in an error."""
    plain = edit()

    def fail(*_: object) -> None:
        raise ArithmeticError

    with monkeypatch.context() as patched:
        patched.setattr(model, "call", fail)
        with pytest.raises(ArithmeticError):
            edit(a=1)
    assert np.array_equal(edit(), plain)


def test_it_is_what_diffusers_adds(load: Load, model: PipelineEditor, edit: Edit, loras: Path) -> None:
    """Its own loader, with peft, makes the same pictures, with one and with several of different weights."""
    if model.profile.startswith("fast"):
        pytest.skip("peft refuses layers in fp8, and loses what is for layers that are fused")
    theirs = load(takes_loras=False)
    for name in ("a", "b"):
        theirs.pipeline.load_lora_weights(str(loras / name), adapter_name=name)
    for weights in ({"a": 1.0}, {"a": 0.7, "b": -0.4}):
        theirs.pipeline.set_adapters(list(weights), list(weights.values()))
        expected = edited(theirs, key(steps=STEPS), ROWS, 2)
        farthest = max(np.abs(one - other).max() for one, other in zip(edit(**weights), expected, strict=True))
        assert farthest <= (1 if model.pipeline.dtype == torch.float32 else 32), weights


def test_others_of_a_rank_need_no_compiler(spec: ModelSpec, load: Load, loras: Path) -> None:
    """Each kind of block is traced once without and once with LoRAs; of a rank up to 16 all run in the same kernels."""
    if spec.name != "tiny-klein":
        pytest.skip("tracing takes seconds, and the layers are the same for all")
    model = load(profile="exact", compile=False)
    model.pipeline.transformer.compile_repeated_blocks(fullgraph=True, dynamic=False, backend="eager")
    edit = editing(model, loras)
    plain, one = edit(), edit(a=1)
    with torch.compiler.set_stance("fail_on_recompile"):
        edit(b=0.3)
        assert np.array_equal(edit(a=1), one)
        assert np.array_equal(edit(), plain)
    assert distance(one, plain) > 8


def test_compiled_it_is_the_reference(load: Load, loras: Path, spec: ModelSpec, device: torch.device) -> None:
    """Compiled and fused, a row with a LoRA is what it is as diffusers calculates, to 1/255 in fp32."""
    if device.type == "cpu":
        pytest.skip("a CPU's compiler takes a minute for it; by hand, on a GPU")
    without_compiler(spec, device)
    pairs = zip(editing(load(profile="exact"), loras)(a=1), editing(load(), loras)(a=1), strict=True)
    assert max(np.abs(one - other).max() for one, other in pairs) <= 32


def test_one_of_another_model_is_refused(spec: ModelSpec, model: PipelineEditor, tmp_path: Path) -> None:
    """It has layers that this one lacks; or they have other sizes, as those of a larger one of the same kind."""
    other = MODELS["tiny-klein" if spec.family == "kontext" else "tiny-kontext"]
    pipeline = import_module(f"worker.models.{other.family}.random_weights").tiny_pipeline(distilled=other.distilled)
    file = save(pipeline, lora(pipeline.transformer, 1), tmp_path / "other")
    with pytest.raises(RowError, match=rf"^lora {file}: is for another model; [^;]+\.$"):
        model.adapters([Lora(str(file), 1.0)])
    layer = "transformer_blocks.0.attn.to_out.0"
    wide = {f"{layer}.lora_A.weight": torch.ones(4, 3072), f"{layer}.lora_B.weight": torch.ones(3072, 4)}
    file = save(model.pipeline, wide, tmp_path / "large")
    height, width = model.pipeline.transformer.get_submodule(layer).weight.shape
    sentence = f"is for another model; its {layer} is 3072 by 3072, and this one's is {width} by {height}."
    with pytest.raises(RowError, match=rf"^lora {file}: {re.escape(sentence)}$"):
        model.adapters([Lora(str(file), 1.0)])
