"""The part that compiles two blocks in several ways; here they are traced, and no kernel is built."""

import os
from pathlib import Path

import pytest

from tests.gpu.notes import Notes, read
from tests.gpu.parts import levers
from tests.gpu.scene import Scene


def test_each_way_is_measured_beside_eager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its time and its distance, traced alone none; what this version of torch lacks is told, and no more."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", os.environ.get("TORCHINDUCTOR_CACHE_DIR", ""))
    monkeypatch.setenv("FLEET_COMPILE_CACHE", str(tmp_path / "kernels"))
    scene, notes = Scene.here(tmp_path, tiny=True, compiled=True, limit=60), Notes(tmp_path, "levers")
    ways = {"casts": levers.WAYS["emulate_precision_casts"], "none of torch's": {"no_such_setting": True}}
    levers.measure(scene, notes, backend="eager", ways=ways)
    (table,) = (read(tmp_path, "levers") or {})["tables"]
    assert [row[:2] for row in table["rows"]] == [[way, "63"] for way in ("eager", *ways)]
    _, casts, unknown = table["rows"]
    assert float(casts[4]) < 1e-5
    assert unknown[2] == "does not work"
    assert "no_such_setting" in unknown[4]
