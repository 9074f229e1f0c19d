"""Weights that DataFlow has downloaded: straight into its `hf_local_dir`, which all of its models share."""

import json
from pathlib import Path
from typing import Final

from worker.contract.catalog import objection
from worker.settings.fleet import Settings

#: Where the hub's client keeps, below a folder that it downloads into, what it has of files so far.
_UNFINISHED: Final = ".cache/huggingface/download"


def flat_weights(settings: Settings) -> Path | None:
    """Return FLEET_HF_LOCAL_DIR where it holds the model's own weights itself, whole; else None.

    Of other weights than the model's own, or of a revision, nothing there tells whether it is theirs.
    """
    folder, spec = settings.hf_local_dir and settings.hf_local_dir.expanduser(), settings.spec
    if folder is None or settings.weights != spec.weights or settings.hf_revision or settings.download_folder is None:
        return None
    if settings.download_folder.exists() or any(folder.glob(f"{_UNFINISHED}/**/*.incomplete")):
        return None
    try:
        index = json.loads((folder / "model_index.json").read_text())
    except (OSError, ValueError):
        return None
    return folder if isinstance(index, dict) and objection(index, spec) is None else None
