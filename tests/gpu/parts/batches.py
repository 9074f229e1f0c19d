"""What a batch gains at smaller resolutions."""

from tests.gpu.benching import bench
from tests.gpu.notes import Notes
from tests.gpu.scene import Scene


def measure(scene: Scene, notes: Notes) -> None:
    """Call the bench."""
    bench(scene, notes, scene.either(["512x512", "768x768"], ["64x64"]), scene.either([1, 8], [1, 2]), rounds=1)
