"""A real worker with a model of random weights: `celery -A tests.support.random_weights worker`.

FLEET_DIFFUSER_MODEL_NAME says which: FLUX-Kontext at its full size, for a GPU without its weights, or the demo.
"""

from typing import Any

import torch

from worker.bootsteps import LoadModel
from worker.celery import app
from worker.models.pipelines.editing import PipelineEditor
from worker.models.registry import editor_of, random_pipeline
from worker.models.speed.device import dtype_on
from worker.settings.fleet import Settings


def load(settings: Settings) -> PipelineEditor:
    """Build a model on this machine's device, as the settings would have it calculate."""
    gpu = torch.cuda.is_available()
    device = torch.device("cuda" if gpu else "cpu")
    return editor_of(settings.spec)(
        random_pipeline(settings.spec, device=device, dtype=dtype_on(device)),
        settings.profile_on(gpu=gpu),
        compile_cache=settings.compile_cache,
        prompt_cache=settings.prompt_cache * 2**20,
    )


class LoadRandomWeights(LoadModel):
    """Takes the place of the step that loads the model."""

    def load(self, settings: Settings) -> Any:
        """Build the model."""
        return load(settings)


app.steps["worker"].discard("worker.bootsteps:LoadModel")
app.steps["worker"].add(LoadRandomWeights)
