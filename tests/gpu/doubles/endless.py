"""Never ends, nor does what it has started, in a session of its own as a worker is."""

import subprocess
import sys
import threading

from tests.gpu.notes import Notes


def measure(_: object, notes: Notes) -> None:
    """Wait for ever."""
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    notes.fact("started", started.pid)
    threading.Event().wait()
