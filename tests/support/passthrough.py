"""A real worker without a transformer: its model hands every picture back as it got it.

`celery -A tests.support.passthrough worker` does all that a worker does, and no edit: what the tests see of a picture
is what decoding, fitting, batching, restoring and encoding have made of it. It starts without torch.

Where FLEET_PASSTHROUGH_GATE names a file, every batch stays on its "GPU" until that file is there: what a test needs to
happen during a batch happens during a batch, however fast the machine is. FLEET_PASSTHROUGH_MOST is the number of rows
for which its memory suffices. FLEET_PASSTHROUGH_SECONDS is what a call takes, FLEET_PASSTHROUGH_SECONDS_PER_ROW what
each row adds to it: it waits for its "GPU" once per step.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from tests.support.waiting import wait_until
from worker.batching.jobs import BatchKey, EditJob
from worker.bootsteps import LoadModel
from worker.celery import app
from worker.models.protocol import EditModel
from worker.models.selftest import DESCRIPTION, INSTRUCTION
from worker.settings.fleet import Settings


class Passthrough(EditModel):
    """An EditModel that edits nothing, in so many seconds per call, and so many more per row."""

    def __init__(self, seconds: float = 0.0, profile: str = "reference", *, per_row: float = 0.0) -> None:
        """`profile`: how it says that it calculates."""
        self._seconds = seconds
        self._per_row = per_row
        self.profile = profile

    def edit(self, key: BatchKey, jobs: Sequence[EditJob], most: int) -> list[list[Image.Image]]:
        """Return each row's picture, once per image that it wants."""
        del most
        if jobs[0].prompt in {INSTRUCTION, DESCRIPTION}:  # the built-in picture, at the start
            return [[_picture(key, job)] for job in jobs]
        if gate := os.environ.get("FLEET_PASSTHROUGH_GATE"):
            wait_until(Path(gate).exists, "the gate is open")
        if len(jobs) > int(os.environ.get("FLEET_PASSTHROUGH_MOST", len(jobs))):
            raise MemoryError(f"no memory for {len(jobs)} rows")
        made = [[_picture(key, one) for one, _ in job.each()] for job in jobs]
        assert all(one.size == key.bucket and one.mode == "RGB" for pictures in made for one in pictures)
        seconds = self._seconds + self._per_row * len(jobs)
        for _ in range(key.steps if seconds else 0):
            time.sleep(seconds / key.steps)  # without the interpreter's lock, as one waits for a GPU
        return made


def _picture(key: BatchKey, job: EditJob) -> Image.Image:
    """Return a row's picture; for a row without one, one whose colour is its seed's."""
    if job.image is not None:
        return job.image
    made = Image.linear_gradient("L").resize(key.bucket)
    return Image.merge("RGB", (made, made, Image.new("L", key.bucket, job.seeds[0] % 256)))


class LoadPassthrough(LoadModel):
    """Takes the place of the step that loads the model."""

    def load(self, settings: Settings) -> Passthrough:
        """Return the model that edits nothing."""
        seconds = float(os.environ.get("FLEET_PASSTHROUGH_SECONDS", "0"))
        per_row = float(os.environ.get("FLEET_PASSTHROUGH_SECONDS_PER_ROW", "0"))
        return Passthrough(seconds, str(settings.profile_on(gpu=False)), per_row=per_row)


app.steps["worker"].discard("worker.bootsteps:LoadModel")
app.steps["worker"].add(LoadPassthrough)
