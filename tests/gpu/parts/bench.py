"""Seconds per image at the square resolution, one at a time: what this project is judged by."""

from tests.gpu.benching import bench
from tests.gpu.notes import Notes
from tests.gpu.scene import Scene


def measure(scene: Scene, notes: Notes) -> None:
    """Call the bench."""
    bench(scene, notes, scene.either(["1024x1024"], ["64x64"]), [1], rounds=2)
