"""LoRAs are loaded once, kept within their bytes, and the ones that were used last stay."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from diffusers import FluxKontextPipeline
from torch import Tensor, nn

from tests.support.loras import lora, save
from worker.contract.errors import RowError, TransientError
from worker.contract.lora import Lora
from worker.models.adapters import adapters as room
from worker.models.adapters import files
from worker.models.adapters.adapters import Adapters
from worker.models.adapters.finding import Finder
from worker.models.kontext.random_weights import tiny_pipeline


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of LoRAs of one size."""
    folder = tmp_path_factory.mktemp("loras")
    pipeline = tiny_pipeline(distilled=None)
    for seed, name in enumerate("abc"):
        save(pipeline, lora(pipeline.transformer, seed), folder / name)
    return folder


@pytest.fixture
def pipeline() -> FluxKontextPipeline:
    """Build a model."""
    pipeline: FluxKontextPipeline = tiny_pipeline(distilled=None)
    return pipeline


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with each file that is read."""
    read: list[str] = []
    products_of = room.products_of

    def noting(path: Path, *rest: object) -> object:
        read.append(path.parent.name)
        return products_of(path, *rest)

    monkeypatch.setattr(room, "products_of", noting)
    return read


def test_what_was_used_last_is_kept(pipeline: FluxKontextPipeline, folder: Path, loads: list[str]) -> None:
    """With room for two, the one that was not used for the longest time goes; another weight is no other LoRA."""
    adapters = Adapters(pipeline, Finder(), 2**24)
    adapters.find([Lora(str(folder / "a"), 1.0)])
    size = 2**24 - adapters.room
    small = Adapters(pipeline, Finder(), 2 * size)
    loads.clear()
    for name, read in (("a", "a"), ("b", "ab"), ("a", "ab"), ("c", "abc"), ("a", "abc"), ("b", "abcb")):
        small.find([Lora(str(folder / name), 0.5)])
        small.find([Lora(str(folder / name), 1.0)])
        assert "".join(loads) == read, name
    assert small.room == 0


def test_one_that_many_want_at_once_is_loaded_once(
    pipeline: FluxKontextPipeline, folder: Path, loads: list[str]
) -> None:
    """Rows come in many threads."""
    adapters = Adapters(pipeline, Finder(), 2**24)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: adapters.find([Lora(str(folder / "a"), 1.0)]), range(16)))
    assert len({*found}) == 1
    assert loads == ["a"]


def test_one_that_is_gone_is_loaded_again_for_its_call(
    pipeline: FluxKontextPipeline, folder: Path, loads: list[str]
) -> None:
    """A row may wait for longer than its LoRA is kept; a file that was changed meanwhile is not taken for it."""
    adapters = Adapters(pipeline, Finder(), 2**24)
    copy = folder / "d.safetensors"
    copy.write_bytes((folder / "a/pytorch_lora_weights.safetensors").read_bytes())
    found = adapters.find([Lora(str(copy), 1.0)])
    small = Adapters(pipeline, Finder(), 2**24)
    with small.applied(found):
        pass
    assert len(loads) == 2
    copy.write_bytes((folder / "b/pytorch_lora_weights.safetensors").read_bytes())
    with pytest.raises(RowError, match=r"its file was changed while the row waited; send the row again\.$"):
        Adapters(pipeline, Finder(), 2**24).applied(found).__enter__()


def test_one_that_is_too_large_is_refused(pipeline: FluxKontextPipeline, folder: Path) -> None:
    """With what it takes, and what to do; also before a file is read that is far too large."""
    adapters = Adapters(pipeline, Finder(), 2**24)
    adapters.find([Lora(str(folder / "a"), 1.0)])
    for most in (2**24 - adapters.room - 1, 2**10):
        with pytest.raises(RowError, match=r"^lora .*/a: takes 0 MiB, and workers have 0 MiB for LoRAs; set FLEET_LOR"):
            Adapters(pipeline, Finder(), most).find([Lora(str(folder / "a"), 1.0)])


def test_one_that_was_refused_is_not_read_again(
    pipeline: FluxKontextPipeline, tmp_path: Path, loads: list[str]
) -> None:
    """A million rows may name it; once its file is another, it is."""
    weights = {f"x_embedder.lora_{part}.weight": torch.ones(3, 3) for part in "AB"}
    file = save(pipeline, weights, tmp_path)
    adapters = Adapters(pipeline, Finder(), 2**24)
    for _ in range(3):
        with pytest.raises(RowError, match="is for another model"):
            adapters.find([Lora(str(file), 1.0)])
    assert len(loads) == 1
    save(pipeline, lora(pipeline.transformer, 1), tmp_path)
    assert adapters.find([Lora(str(file), 1.0)])
    assert len(loads) == 2


@pytest.mark.parametrize("fault", [torch.OutOfMemoryError("no room"), OSError(5, "Input/output error")], ids=repr)
def test_what_may_pass_is_tried_again(
    pipeline: FluxKontextPipeline, folder: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """Memory that is full at a batch's peak, or a share that fails, is no fault of the file's."""
    adapters = Adapters(pipeline, Finder(), 2**24)

    def fail(*_: object, **__: object) -> None:
        raise fault

    with monkeypatch.context() as patched:
        patched.setattr(*((room, "onto") if isinstance(fault, torch.OutOfMemoryError) else (files, "safe_open")), fail)
        with pytest.raises(TransientError, match=r"^lora .*/a: (does not fit beside the model|cannot be read)"):
            adapters.find([Lora(str(folder / "a"), 1.0)])
    assert adapters.find([Lora(str(folder / "a"), 1.0)])


def test_memory_that_is_full_halfway_leaves_the_model_as_it_was(
    pipeline: FluxKontextPipeline, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Layers that have their part already let go of it."""
    adapters = Adapters(pipeline, Finder(), 2**24)
    found, putting = adapters.find([Lora(str(folder / "a"), 1.0)]), room.put
    held: dict[int, object] = {}

    def put(layer: nn.Module, parts: tuple[Tensor, Tensor, Tensor] | None) -> None:
        if parts is not None and len(held) == 2:
            raise torch.OutOfMemoryError
        held[id(layer)] = parts
        putting(layer, parts)

    monkeypatch.setattr(room, "put", put)
    with pytest.raises(torch.OutOfMemoryError), adapters.applied(found):
        pass
    assert len(held) > 2
    assert set(held.values()) == {None}
    assert adapters.layout == ()
