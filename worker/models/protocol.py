"""What the worker asks of a model; no torch."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from PIL import Image

from worker.batching.budget import Memory
from worker.batching.jobs import Adapter, BatchKey, EditJob
from worker.contract.errors import RowError
from worker.contract.lora import Lora
from worker.contract.reading import Reading


class EditModel(Protocol):
    """A loaded model that edits micro-batches. What it does not say is as it is for a model without a GPU."""

    #: How it calculates, for people to read.
    profile: str = "reference"
    #: Which weights it has (`worker.models.weights.identity`); empty where it does not tell.
    weights: str = ""
    #: Whether it has to be compiled for each resolution and each size of a call, which takes its time.
    is_compiled: bool = False
    #: Steps in which a call has run everything that is compiled for it.
    steps_to_compile: int = 1

    def edit(self, key: BatchKey, jobs: Sequence[EditJob], most: int) -> list[list[Image.Image]]:
        """Edit rows of one key; return each row's images, of the bucket's size, in the rows' order.

        No call of the network makes more than `most` images.

        Raises:
            OutOfMemory: the device has no room for such a call.

        """
        ...

    def reading(self, prompt: str) -> Reading | None:  # noqa: ARG002 - a default
        """Count the tokens of an instruction; None where the model has no bound. Called by any thread."""
        return None

    def adapters(self, loras: Sequence[Lora]) -> tuple[Adapter, ...]:
        """Find LoRAs, and make sure that they fit the model, before a row that wants them waits for the GPU.

        Called by any thread.

        Raises:
            RowError: one is not there, cannot be read, or is for another model.

        """
        if loras:
            raise RowError(f"lora {loras[0].name}: this model takes none.")
        return ()

    def memory(self) -> Memory | None:
        """Return what the last call took of the device's memory and what is left; None where it is the host's own."""
        return None

    def gpu_memory(self) -> Mapping[str, int]:
        """Return the bytes of the GPU's memory by kind: allocated and reserved by this process, free, total.

        Called by any thread; empty where there is no GPU.
        """
        return {}
