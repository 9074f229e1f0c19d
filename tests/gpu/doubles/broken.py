"""Fails after its first number."""

from tests.gpu.notes import Notes


def measure(_: object, notes: Notes) -> None:
    """Raise what torch raises."""
    notes.fact("the first number", 1)
    raise RuntimeError("CUDA error: an illegal memory access was encountered\nCompile with TORCH_USE_CUDA_DSA")
