"""A real worker that meets every fault: `celery -A tests.support.faulty worker`.

Its model edits nothing, and does what a row's instruction says: KILL ends the process, HANG never ends, FAIL raises.
Where FLEET_FAULTY_BROKEN names a file that is there, every call fails as after a CUDA error, also that of the proof.

Its file share hiccups: opening a file named such as `eio-2.png` fails with that error the first two times. The error is
raised by the interpreter's own audit of every `open`, so that it comes out of the very call that a real one comes from.
"""

import errno
import os
import re
import signal
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from tests.support.passthrough import LoadPassthrough, Passthrough
from tests.support.sending import FAIL, HANG, KILL
from worker.batching.jobs import BatchKey, EditJob
from worker.bootsteps import LoadModel
from worker.celery import app
from worker.settings.fleet import Settings


class Faulty(Passthrough):
    """An EditModel that breaks on demand."""

    def edit(self, key: BatchKey, jobs: Sequence[EditJob], most: int) -> list[list[Image.Image]]:
        """Return each row's picture, unless a row or the test wants something else."""
        broken = os.environ.get("FLEET_FAULTY_BROKEN")
        if broken and Path(broken).exists():
            raise RuntimeError("CUDA error: an illegal memory access was encountered\nSearch for `cudaErrorIllegal…'")
        prompts = {job.prompt for job in jobs}
        if KILL in prompts:
            os.kill(os.getpid(), signal.SIGKILL)
        if HANG in prompts:
            threading.Event().wait()
        if FAIL in prompts:
            raise ValueError("this row cannot be borne")
        return super().edit(key, jobs, most)


class LoadFaulty(LoadModel):
    """Takes the place of the step that loads the model."""

    def load(self, settings: Settings) -> Faulty:
        """Return the model that breaks."""
        del settings
        return Faulty()


_opened: Counter[str] = Counter()


def _hiccup(event: str, arguments: tuple[object, ...]) -> None:
    if event != "open" or not isinstance(arguments[0], str):
        return
    if found := re.search(r"/(e[a-z]+)-(\d+)\.png$", arguments[0]):
        _opened[arguments[0]] += 1
        if _opened[arguments[0]] <= int(found[2]):
            number = getattr(errno, found[1].upper())
            raise OSError(number, os.strerror(number), arguments[0])


sys.addaudithook(_hiccup)
app.steps["worker"].discard(LoadPassthrough)
app.steps["worker"].add(LoadFaulty)
