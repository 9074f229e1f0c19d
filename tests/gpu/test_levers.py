"""The part that compiles two blocks in several ways; here they are traced, and no kernel is built."""

import os
from pathlib import Path

import pytest

from tests.gpu.notes import Notes, read
from tests.gpu.parts import levers
from tests.gpu.scene import Scene


def test_each_way_is_measured_beside_eager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its time and its distance; traced alone, they are eager's own numbers."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", os.environ.get("TORCHINDUCTOR_CACHE_DIR", ""))
    scene = Scene.here(tmp_path, tiny=True, compiled=True, limit=60)
    levers.measure(scene, Notes(tmp_path, "levers"), backend="eager")
    (table,) = (read(tmp_path, "levers") or {})["tables"]
    ways = ["eager", "as a worker has it", "shape_padding", "emulate_precision_casts"]
    assert [row[:2] for row in table["rows"]] == [[way, "63"] for way in ways]
    assert all(float(row[4]) < 1e-5 for row in table["rows"])
