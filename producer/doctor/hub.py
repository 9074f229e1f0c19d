"""Weights that are not on this machine: whether the hub gives them to this user, and whether there is room for them."""

import shutil
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from producer.doctor.finding import Finding, broken, in_bytes, note
from worker.contract.errors import one_line
from worker.settings.fleet import Settings

#: What a worker downloads (`worker.models.weights.fetching`).
_NEEDED: Final = ("model_index.json", "*/*.json", "*/*.safetensors", "*/*.txt", "*/*.model", "*/*.jinja")

#: Seconds that the hub has for the first answer.
_PATIENCE: Final = 5.0


def look_at_hub(settings: Settings, found: str, endpoint: str | None = None) -> Finding:
    """Say what would become of a worker's download; `found`: what is here, and lacks."""
    from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_url  # noqa: PLC0415 - not in the base install
    from huggingface_hub.errors import (  # noqa: PLC0415
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    name, revision = settings.weights, settings.hf_revision
    try:
        url = hf_hub_url(name, "model_index.json", revision=revision, endpoint=endpoint)
        get_hf_file_metadata(url, timeout=_PATIENCE)
        listed = HfApi(endpoint=endpoint).list_repo_tree(name, recursive=True, revision=revision)
        sizes = {entry.path: getattr(entry, "size", 0) for entry in listed}
    except GatedRepoError:  # before its parent, RepositoryNotFoundError
        remedy = "accept its licence on its page at huggingface.co, then set HF_TOKEN to a token of that account"
        return broken("weights", f"{found}, and it is gated for this user", remedy)
    except RepositoryNotFoundError:
        return broken("weights", f"{found}, and the hub has none, or hides it", "check FLEET_HF_MODEL_NAME_OR_PATH")
    except RevisionNotFoundError:
        return broken("weights", f"{found}, and the hub has no revision {revision}", "check FLEET_HF_REVISION")
    except HFValidationError:
        return broken("weights", f"{name!r} is neither a hub id nor a folder", "check FLEET_HF_MODEL_NAME_OR_PATH")
    except Exception as error:  # whatever the hub's client and its HTTP library come to
        remedy = "check the network, or set FLEET_HF_MODEL_NAME_OR_PATH to a local folder"
        return broken("weights", f"{found}, and the hub cannot be asked ({_cause(error)})", remedy)
    needed = sum(size for path, size in sizes.items() if any(fnmatch(path, pattern) for pattern in _NEEDED))
    return _room(settings, found, needed)


def _room(settings: Settings, found: str, needed: int) -> Finding:
    from huggingface_hub.constants import HF_HUB_CACHE  # noqa: PLC0415

    cache = settings.hf_cache_dir.expanduser() if settings.hf_cache_dir else Path(HF_HUB_CACHE)
    target = settings.download_folder or cache / f"models--{settings.weights.replace('/', '--')}"
    there = sum(path.stat().st_size for path in target.rglob("*") if path.is_file() and not path.is_symlink())
    left, free = max(0, needed - there), shutil.disk_usage(existing(target)).free
    said = (
        f"{found}; {in_bytes(left)} of {in_bytes(needed)} are still to be downloaded to {target}, where"
        f" {in_bytes(free)} are free"
    )
    if left > free:
        return broken("weights", said, "make room, or set FLEET_HF_CACHE_DIR")
    return note("weights", said, "the first worker does it at its start")


def existing(path: Path) -> Path:
    """Return a path, or the nearest folder above it that is there."""
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _cause(error: BaseException) -> str:
    """Name the first cause: the hub wraps a refused connection in several errors with advice of their own."""
    while error.__cause__ is not None:
        error = error.__cause__
    return one_line((str(error).strip() or type(error).__name__).splitlines()[0].rstrip("."))
