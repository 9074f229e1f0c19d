"""The parts that call the bench: by its command line, with what it is asked for; the bench has tests of its own."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from tests.gpu.benching import headline
from tests.gpu.notes import Notes, read
from tests.gpu.parts import batches, bench, odd
from tests.gpu.scene import Scene


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give back the command line and torch's threads: a part has its process for itself."""
    monkeypatch.setattr(sys, "argv", [*sys.argv])
    before = torch.get_num_threads()
    gc.freeze()  # the bench looks for garbage after each profile, and that of the tests would take it most of a second
    yield
    gc.unfreeze()
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("part", "shapes"),
    [
        (bench, ["64x64 | 1"]),
        (odd, ["80x112 | 1"]),
        (batches, ["64x64 | 1", "64x64 | 2"]),
    ],
    ids=lambda value: value.__name__.rpartition(".")[2] if isinstance(value, ModuleType) else "",
)
def test_the_bench_is_asked_for_its_shapes(tmp_path: Path, part: ModuleType, shapes: list[str]) -> None:
    """Of exact and fast; without time for any of it, each row is there, as not measured."""
    scene = Scene.here(tmp_path, tiny=True, compiled=False, limit=0)
    part.measure(scene, Notes(tmp_path, "bench"))
    found = read(tmp_path, "bench") or {}
    (text,) = found["texts"]
    able = [name for name in ("exact", "fast") if name not in found["facts"]]
    assert able[0] == "exact"
    for name in able:
        assert all(f"\n| {name}, not compiled | {shape} | not measured |" in text for shape in shapes)
    assert found["headline"].endswith(", ".join(f"{name}, not compiled not measured" for name in able))


def test_the_first_shape_makes_the_headline() -> None:
    """A call of a step, and one more step for each that is computed, over its images."""
    row = {"images": 2, "first": 9.0, "short": [1.0, 1.2, 1.1], "long": [3.0, 3.2, 3.1], "peak": None}
    said = headline({"profile": "exact", "computed": 28, "rows": [{"images": 1, "remark": "out of memory"}, row]})
    assert said == "exact 7.3 s/image"  # (1.1 + 27 x 0.5) / 2
