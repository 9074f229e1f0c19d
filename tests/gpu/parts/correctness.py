"""What holds on the CPU holds here, without a compiler: rows, fp8, extrapolated steps, memory that runs out."""

from tests.gpu.notes import Notes
from tests.gpu.pytests import NOTHING_COMPILED, run_tests
from tests.gpu.scene import Scene


def measure(scene: Scene, notes: Notes) -> None:
    """Run the models' tests that compile nothing."""
    full, tiny = ["tests/models"], ["tests/models/speed/test_fp8.py"]
    run_tests(scene, notes, full if scene.device.type == "cuda" else tiny, NOTHING_COMPILED)
