"""Resolutions whose tokens are no multiple of 16, as twelve of the model's seventeen are: 8652 and 8690 of them."""

from tests.gpu.benching import bench
from tests.gpu.notes import Notes
from tests.gpu.scene import Scene


def measure(scene: Scene, notes: Notes) -> None:
    """Call the bench."""
    bench(scene, notes, scene.either(["880x1184", "752x1392"], ["80x112"]), [1], rounds=1)
