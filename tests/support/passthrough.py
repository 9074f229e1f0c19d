"""A real worker without a transformer: its model hands every picture back as it got it.

`celery -A tests.support.passthrough worker` does all that a worker does, and no edit: what the tests see of a picture
is what decoding, fitting, batching, restoring and encoding have made of it. It starts without torch.
"""

from collections.abc import Sequence

from PIL import Image

from worker.batching import BatchKey, EditJob
from worker.celery import app
from worker.settings import Settings
from worker.steps import LoadModel


class Passthrough:
    """An EditModel that edits nothing."""

    def edit(self, key: BatchKey, jobs: Sequence[EditJob]) -> list[list[Image.Image]]:
        """Return each row's picture, once per image that it wants."""
        assert all(job.image.size == key.bucket and job.image.mode == "RGB" for job in jobs)
        return [[job.image for _ in job.seeds] for job in jobs]


class LoadPassthrough(LoadModel):
    """Takes the place of the step that loads the model."""

    def load(self, settings: Settings) -> Passthrough:
        """Return the model that edits nothing."""
        del settings
        return Passthrough()


app.steps["worker"].discard("worker.steps:LoadModel")
app.steps["worker"].add(LoadPassthrough)
