"""The models behind one Protocol. Imported only by the step that loads a model: everything here needs torch."""

from collections.abc import Sequence
from typing import Protocol

from PIL import Image

from worker.batching import BatchKey, EditJob
from worker.models.demo import demo_checkpoint
from worker.models.kontext import Kontext, choose_device
from worker.models.weights import fetch_weights
from worker.settings import Settings


class EditModel(Protocol):
    """A loaded model that edits micro-batches."""

    def edit(self, key: BatchKey, jobs: Sequence[EditJob], most: int) -> list[list[Image.Image]]:
        """Edit rows of one key; return each row's images, of the bucket's size, in the rows' order.

        No call of the network makes more than `most` images.

        Raises:
            OutOfMemory: the device has no room for such a call.

        """


def load_model(settings: Settings) -> EditModel:
    """Load the model that the settings name onto this machine's device.

    Raises:
        ModelError: weights are missing, gated or of another architecture, or the device cannot carry them.

    """
    device = choose_device(settings.spec)
    if settings.diffuser_model_name == "demo":
        folder = demo_checkpoint(settings.demo_cache_dir.expanduser())
    else:
        folder = fetch_weights(settings)
    return Kontext.load(folder, device=device)
