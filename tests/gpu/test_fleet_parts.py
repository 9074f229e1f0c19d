"""The parts with workers of their own, rehearsed: here these are forked, and on a GPU started as a user does."""

from pathlib import Path

import pytest

from tests.gpu.notes import Notes, read
from tests.gpu.parts import fleet, starting
from tests.gpu.scene import Scene
from tests.support.workers import fork_worker


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Look around, without a compiler."""
    return Scene.here(tmp_path, tiny=True, compiled=False, limit=600)


def test_what_the_fleet_adds(scene: Scene, tmp_path: Path) -> None:
    """A worker edits all rows, and the loop the same number; the worker's log is kept."""
    fleet.measure(scene, Notes(tmp_path, "fleet"), fork_worker)
    found = read(tmp_path, "fleet") or {}
    assert 0 < float(found["facts"]["a call was on the device, % of the time"]) <= 100
    assert float(found["facts"]["bare loop, s per call"]) > 0
    assert found["headline"].startswith("the fleet adds ")
    assert "done in" in (tmp_path / "fleet.gpu0.log").read_text()


def test_a_start_and_a_second_one(scene: Scene, tmp_path: Path) -> None:
    """Both are told, part by part."""
    starting.measure(scene, Notes(tmp_path, "starting"), fork_worker)
    (table,) = (read(tmp_path, "starting") or {})["tables"]
    assert [row[0] for row in table["rows"]] == ["cold", "warm"]
    assert len(table["head"]) == len(table["rows"][0]) == 5
