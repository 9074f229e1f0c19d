"""Which family a setting names, loaded. Imported only by the step that loads a model: all of it needs torch."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import diffusers
import torch

from worker.contract.model_spec import ModelSpec
from worker.models.adapters.finding import Finder
from worker.models.demo import CHECKPOINT
from worker.models.pipelines.editing import PipelineEditor
from worker.models.protocol import EditModel
from worker.models.speed.capabilities import machine_of
from worker.models.speed.device import choose_device
from worker.models.speed.requirements import require
from worker.models.weights.fetching import fetch_weights
from worker.settings.fleet import Settings


def load_model(settings: Settings) -> EditModel:
    """Load the model that the settings name onto this machine's device.

    Raises:
        ModelError: weights are missing, gated or of another architecture, or this machine cannot carry them or cannot
            calculate as the profile says.

    """
    device = choose_device(settings.spec)
    profile = settings.profile_on(gpu=device.type == "cuda")
    require(profile, machine_of(device))  # before a download
    with _weights(settings) as folder:
        model = editor_of(settings.spec).load(
            folder,
            profile,
            device=device,
            compile_cache=settings.compile_cache,
            prompt_cache=settings.prompt_cache * 2**20,
        )
    if settings.lora_cache:
        model.take_loras(Finder(settings.hf_cache_dir), settings.lora_cache * 2**20)
    return model


def editor_of(spec: ModelSpec) -> type[PipelineEditor]:
    """Return what a family calculates with, from its folder; the others' libraries are left alone."""
    editor: type[PipelineEditor] = import_module(f"worker.models.{spec.family}.editor").EDITOR
    return editor


def save_tiny(spec: ModelSpec, folder: Path) -> None:
    """Save a checkpoint of a family as small as it comes, of random weights, in diffusers' own layout."""
    _tiny(spec).save_pretrained(folder, safe_serialization=True)


def random_pipeline(spec: ModelSpec, *, device: torch.device, dtype: torch.dtype) -> Any:
    """Build a model with random weights on a device: at the size of the real one, or of a tiny one."""
    if spec.source == "hub":
        return _random_weights(spec).full_pipeline(device=device, dtype=dtype)
    return _tiny(spec).to(device, dtype)


def _tiny(spec: ModelSpec) -> Any:
    made = _random_weights(spec).tiny_pipeline(distilled=spec.distilled)
    own: Any = getattr(diffusers, spec.pipeline)
    # Of the same parts: FLUX.1-dev is Kontext without an eye for pictures.
    return made if isinstance(made, own) else own(**made.components)


def _random_weights(spec: ModelSpec) -> Any:
    return import_module(f"worker.models.{spec.family}.random_weights")


@contextmanager
def _weights(settings: Settings) -> Iterator[Path]:
    """Yield the folder of the weights; one that is made here is loaded like any other, and gone afterwards."""
    if settings.spec.source == "hub":
        yield fetch_weights(settings)
    elif settings.spec.source == "package":
        yield CHECKPOINT
    else:
        with TemporaryDirectory() as folder:
            save_tiny(settings.spec, Path(folder))
            yield Path(folder)
