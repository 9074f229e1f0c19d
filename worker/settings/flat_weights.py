"""Weights that DataFlow has downloaded: straight into its `hf_local_dir`, which all of its models share."""

import json
from pathlib import Path
from typing import Final

from worker.contract.catalog import objection
from worker.settings.fleet import Settings

#: The one pipeline of DataFlow's whose class says whose weights they are: others share theirs with another model.
_TOLD_BY_ITS_CLASS: Final = "FluxKontextPipeline"

#: Where the hub's client keeps, below a folder that it downloads into, what it has of files so far, and of which commit
#: each of those is that are there.
_DOWNLOAD: Final = ".cache/huggingface/download"


def flat_weights(settings: Settings) -> Path | None:
    """Return FLEET_HF_LOCAL_DIR where it holds the model's own weights itself, whole; else None.

    Of other weights than the model's own, or of a revision, nothing there tells whether it is theirs.
    """
    folder, spec = settings.hf_local_dir and settings.hf_local_dir.expanduser(), settings.spec
    if folder is None or settings.download_folder is None or spec.pipeline != _TOLD_BY_ITS_CLASS:
        return None
    if settings.weights != spec.weights or settings.hf_revision or settings.download_folder.exists():
        return None
    if any(folder.glob(f"{_DOWNLOAD}/**/*.incomplete")) or len(_commits(folder)) > 1:
        return None
    try:
        index = json.loads((folder / "model_index.json").read_text())
    except (OSError, ValueError):
        return None
    return folder if isinstance(index, dict) and objection(index, spec) is None else None


def _commits(folder: Path) -> set[str]:
    """Return the commits whose files lie there: of two models, or of a download that was cut, there are several."""
    notes = folder.glob(f"{_DOWNLOAD}/**/*.metadata")
    return {note.read_text(errors="replace").partition("\n")[0] for note in notes}
