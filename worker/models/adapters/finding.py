"""Where LoRAs come from: a path, or the Hugging Face hub."""

import os
import threading
from pathlib import Path
from typing import Final

from cachetools import TTLCache
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)

from worker.contract.errors import RowError, TransientError, one_line
from worker.contract.lora import Lora
from worker.models.adapters.files import only_one
from worker.models.weights.progress import DownloadLog

#: Seconds for which the hub's "no" is believed, of as many LoRAs: a million rows may name one that is not there.
_BELIEVED: Final = 60
_MOST: Final = 1024


class Finder:
    """Finds LoRAs, in any thread; one of the hub is asked for once, and stays as it was then."""

    def __init__(self, cache_dir: Path | None = None) -> None:
        """`cache_dir` is the hub's cache of downloads; Hugging Face's own where it is None."""
        self._cache_dir = cache_dir
        self._lock = threading.Lock()
        self._found: dict[str, Path] = {}
        self._refused: TTLCache[str, str] = TTLCache(_MOST, _BELIEVED)

    def path(self, lora: Lora) -> Path:
        """Return its file.

        Raises:
            RowError: it is not there, is gated, or it is not said which of several is meant.
            TransientError: the hub does not answer.

        """
        if lora.is_path:
            path = Path(lora.name)
            return _in_folder(path, lora.name) if os.path.isdir(path) else path  # noqa: PTH112 - Path's may raise
        if lora.name in self._found:
            return self._found[lora.name]
        with self._lock:  # a file is downloaded once, whoever asks for it meanwhile
            if (why := self._refused.get(lora.name)) is not None:
                raise RowError(why)
            if lora.name not in self._found:
                try:
                    self._found[lora.name] = _download(lora.name, self._cache_dir)
                except TransientError:
                    raise
                except RowError as error:
                    self._refused[lora.name] = str(error)
                    raise
            return self._found[lora.name]


def _in_folder(folder: Path, name: str) -> Path:
    """Return the file that a folder is meant for: where a worker may read the folder, it may not read anything else."""
    try:
        file = folder / only_one([path.name for path in folder.iterdir()], name)
        is_inside = file.resolve().is_relative_to(folder.resolve())
    except PermissionError as error:
        raise RowError(f"lora {name}: cannot be read ({error.strerror}).") from None
    except OSError as error:
        raise TransientError(f"lora {name}: cannot be read ({error.strerror or error}).") from None
    if not is_inside:
        raise RowError(f"lora {name}: {file.name} in it is a link that leads out of it; name the file itself.")
    return file


def _download(name: str, cache_dir: Path | None) -> Path:
    owner, model, *rest = name.split("/")
    repository, cache = f"{owner}/{model}", cache_dir and cache_dir.expanduser()
    try:
        file = "/".join(rest) or only_one(_listed(repository, cache), name)
        return Path(hf_hub_download(repository, file, cache_dir=cache, tqdm_class=DownloadLog))
    except RowError:
        raise
    except GatedRepoError:  # before its parent, RepositoryNotFoundError
        raise RowError(
            f"lora {name}: is gated; accept its licence on its page at huggingface.co, then set HF_TOKEN on the"
            " workers to a token of that account."
        ) from None
    except RepositoryNotFoundError:
        raise RowError(f"lora {name}: the hub has no {repository}, or the workers' HF_TOKEN may not see it.") from None
    except LocalEntryNotFoundError as error:  # before its parent; it is how the client says that it has no connection
        raise _unreachable(name, error) from None
    except EntryNotFoundError:
        raise RowError(f"lora {name}: {repository} has no file {'/'.join(rest)}.") from None
    except HFValidationError as error:
        raise RowError(f"lora {name}: is no hub id ({one_line(error, 200)}).") from None
    except Exception as error:  # whatever the hub's client and its HTTP library come to
        raise _unreachable(name, error) from None


def _listed(repository: str, cache: Path | None) -> list[str]:
    """List a model's files; where the hub does not answer, those that are in its cache."""
    try:
        return HfApi().list_repo_files(repository)
    except RepositoryNotFoundError:
        raise
    except Exception:  # likewise
        folder = Path(snapshot_download(repository, cache_dir=cache, local_files_only=True))
        return [str(path.relative_to(folder)) for path in folder.rglob("*.safetensors")]


def _unreachable(name: str, error: BaseException) -> TransientError:
    while error.__cause__ is not None:
        error = error.__cause__
    reason = one_line((str(error).strip() or type(error).__name__).splitlines()[0].rstrip("."), 200)
    return TransientError(f"lora {name}: is not on this machine and cannot be downloaded now ({reason}).")
