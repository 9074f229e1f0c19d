"""Each family's checkpoint, as diffusers saves it, comes from a hub as it is."""

from pathlib import Path

import numpy as np
import torch

from tests.models.conftest import Load, loader
from tests.support.families import REAL, fits
from tests.support.hub import fetch, running_hub
from tests.support.jobs import edited, job, key
from worker.contract.catalog import MODELS
from worker.contract.model_spec import ModelSpec


def test_a_download_is_the_model(
    *, spec: ModelSpec, tiny: Path, load: Load, device: torch.device, kernels: Path, tmp_path: Path
) -> None:
    """Out of the hub's cache, links and all, it makes bitwise the picture that the folder itself makes."""
    (name,) = (real for real in REAL if fits(spec, real))
    asked = {
        "diffuser_model_name": name,
        "hf_model_name_or_path": "checkpoint/model",
        "image_gen_task": MODELS[name].tasks[0],
    }
    with running_hub(tiny) as hub:
        [folder] = fetch(hub, tmp_path, asked)
    assert Path(folder).is_relative_to(tmp_path / "hub" / "models--checkpoint--model" / "snapshots")
    assert any(file.is_symlink() for file in Path(folder).rglob("*.safetensors"))
    downloaded = loader(spec, Path(folder), device, kernels)()
    rows = key(steps=1), [job(1)], 1
    assert np.array_equal(edited(downloaded, *rows), edited(load(), *rows))
