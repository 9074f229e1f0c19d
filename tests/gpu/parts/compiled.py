"""What holds on the CPU holds here, compiled: exact against the reference, rows among neighbours, nothing twice."""

from tests.gpu.notes import Notes
from tests.gpu.pytests import NOTHING_COMPILED, run_tests
from tests.gpu.scene import Scene


def measure(scene: Scene, notes: Notes) -> None:
    """Run the models' tests that compile."""
    on_gpu = scene.device.type == "cuda"
    words = f"not ({NOTHING_COMPILED})" if on_gpu else "neighbours and tiny-kontext and -exact and not exact-"
    run_tests(scene, notes, ["tests/models" if on_gpu else "tests/models/families/test_profiles.py"], words)
