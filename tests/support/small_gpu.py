"""A real worker with the demo model on a device whose memory is small: `celery -A tests.support.small_gpu worker`.

The transformer raises torch's own error, as CUDA's allocator does, for more than FLEET_SMALL_GPU_TOKENS tokens of
pictures at a time: 256 per image of 256 x 256 pixels that is made, and as many for the one that it is made from.
"""

import os
from typing import Any

import torch

from worker.bootsteps import LoadModel
from worker.celery import app
from worker.models.kontext.editor import Kontext
from worker.models.protocol import EditModel
from worker.settings.fleet import Settings


def _allocate(_: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    batch, tokens, _channels = (args[0] if args else kwargs["hidden_states"]).shape
    if batch * tokens > int(os.environ["FLEET_SMALL_GPU_TOKENS"]):
        raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate room for {batch * tokens} tokens.")


class LoadOntoSmallGpu(LoadModel):
    """Takes the place of the step that loads the model."""

    def load(self, settings: Settings) -> EditModel:
        """Load the demo model, and make its memory small."""
        model = super().load(settings)
        assert isinstance(model, Kontext)
        model.pipeline.transformer.register_forward_pre_hook(_allocate, with_kwargs=True)
        return model


app.steps["worker"].discard("worker.bootsteps:LoadModel")
app.steps["worker"].add(LoadOntoSmallGpu)
