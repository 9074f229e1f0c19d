"""Takes its process along."""

import os
import signal

from tests.gpu.notes import Notes


def measure(_: object, notes: Notes) -> None:
    """Die as a process does whose driver ends it."""
    notes.fact("the first number", 1)
    os.kill(os.getpid(), signal.SIGKILL)
