"""Where the weights come from: a local folder, or the Hugging Face hub."""

import json
import logging
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from worker.contract.catalog import objection
from worker.contract.errors import ModelError
from worker.contract.model_spec import ModelSpec
from worker.models.weights.progress import DownloadLog
from worker.settings.flat_weights import flat_weights
from worker.settings.fleet import Settings

logger = logging.getLogger(__name__)

#: diffusers' own layout. The repository also holds the same weights as one 24 GB file, which is not needed.
_NEEDED = ["model_index.json", "*/*.json", "*/*.safetensors", "*/*.txt", "*/*.model", "*/*.jinja"]


def fetch_weights(settings: Settings) -> Path:
    """Return the folder of the weights, downloading them from the hub where needed.

    Raises:
        ModelError: one sentence that says what is missing and what to do.

    """
    name = settings.weights
    local = Path(name).expanduser()
    if local.is_dir():
        return _checked(local, settings.spec)
    if name.startswith(("/", "./", "../", "~")):
        raise ModelError(f"No folder {local}; FLEET_HF_MODEL_NAME_OR_PATH takes a hub id or an existing folder.")
    if (flat := flat_weights(settings)) is not None:
        logger.info("weights: those that lie in FLEET_HF_LOCAL_DIR itself, %s, are taken", flat)
        return _checked(flat, settings.spec)
    return _checked(_download(name, settings), settings.spec)


def _download(name: str, settings: Settings) -> Path:
    try:
        return Path(
            snapshot_download(
                name,
                revision=settings.hf_revision,
                cache_dir=settings.hf_cache_dir and settings.hf_cache_dir.expanduser(),
                local_dir=settings.download_folder,
                allow_patterns=_NEEDED,
                tqdm_class=DownloadLog,
            )
        )
    except GatedRepoError:  # before its parent, RepositoryNotFoundError
        raise ModelError(
            f"The weights {name} are gated: accept their licence on the model's page at huggingface.co, "
            "then set HF_TOKEN to a token of that account."
        ) from None
    except RepositoryNotFoundError:
        raise ModelError(
            f"The hub has no model {name}, or this HF_TOKEN may not see it; check FLEET_HF_MODEL_NAME_OR_PATH."
        ) from None
    except RevisionNotFoundError:
        raise ModelError(f"The model {name} has no revision {settings.hf_revision}; check FLEET_HF_REVISION.") from None
    except HFValidationError:
        raise ModelError(
            f"{name!r} is neither a hub id (owner/name) nor an existing folder; check FLEET_HF_MODEL_NAME_OR_PATH."
        ) from None
    except Exception as error:  # whatever the hub's client and its HTTP library come to
        raise ModelError(
            f"The weights {name} are not on this machine and cannot be downloaded ({_cause(error)}); "
            "check the network, or set FLEET_HF_MODEL_NAME_OR_PATH to a local folder."
        ) from None


def _cause(error: BaseException) -> str:
    """Name the first cause: the hub wraps a refused connection in several errors with advice of their own."""
    while error.__cause__ is not None:
        error = error.__cause__
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return first_line.rstrip(".")


def _checked(folder: Path, spec: ModelSpec) -> Path:
    try:
        index = json.loads((folder / "model_index.json").read_text())
    except (OSError, ValueError):
        raise ModelError(
            f"The folder {folder} holds no diffusers model: model_index.json is missing or broken."
        ) from None
    index = index if isinstance(index, dict) else {}
    if (why := objection(index, spec)) is not None:
        raise ModelError(f"The folder {folder} {why}.")
    parts = [name for name, value in index.items() if isinstance(value, list) and value[0] is not None]
    if missing := [name for name in parts if not (folder / name).is_dir()]:
        # diffusers would go on with an empty tokenizer, to which every instruction is the same.
        raise ModelError(f"The folder {folder} lacks {', '.join(missing)}; copy or download the model again.")
    return folder
