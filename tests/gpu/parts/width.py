"""Rows permuted, bit by bit, in two blocks of the real width: its products choose other kernels than a tiny model's."""

from tests.gpu.notes import Notes
from tests.gpu.pytests import NOTHING_COMPILED, run_tests
from tests.gpu.scene import Scene


def measure(scene: Scene, notes: Notes) -> None:
    """Run that test in every profile."""
    run_tests(scene, notes, ["tests/models/speed/test_width.py"], "" if scene.compiled else NOTHING_COMPILED)
