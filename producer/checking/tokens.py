"""The model's tokenizer without the model, where its files are at hand: how long instructions are, without torch."""

from collections.abc import Callable
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from worker.contract.reading import Reading
from worker.settings.flat_weights import flat_weights
from worker.settings.fleet import Settings

_FILE: Final = "tokenizer.json"


def instruction_reader(settings: Settings) -> Callable[[str], Reading] | None:
    """Return what counts an instruction's tokens as the model's worker does; None where its tokenizer is not here.

    That needs the package `tokenizers`, which comes with the worker's extra, and the file of the tokenizer: in a local
    folder, or in what a worker on this machine has downloaded. Nothing is downloaded for it. Any number of threads may
    call it.
    """
    path = _file(settings)
    if path is None or find_spec("tokenizers") is None:
        return None
    from tokenizers import Tokenizer  # noqa: PLC0415 - not in the base install

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception:  # a broken file makes it raise whatever it likes; a worker will say so
        return None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    spec = settings.spec
    # Not str.format: an instruction may hold braces, which here are its own.
    return lambda text: Reading.of(len(tokenizer.encode(spec.template.replace("{}", text)).ids), spec.tokens)


def _file(settings: Settings) -> Path | None:
    name = f"{settings.spec.tokenizer}/{_FILE}"
    if settings.spec.source == "package":
        return _there(Path(str(resources.files("worker"))) / "models/demo/checkpoint" / name)
    if settings.spec.source == "random":  # it has no files
        return None
    weights = Path(settings.weights).expanduser()
    for folder in (weights, flat_weights(settings), settings.download_folder):
        if folder is not None and (found := _there(folder / name)) is not None:
            return found
    return _cached(settings, name)


def _cached(settings: Settings, name: str) -> Path | None:
    """Look into the hub's cache on this machine."""
    if find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415 - not in the base install
    from huggingface_hub.errors import HFValidationError  # noqa: PLC0415

    cache = settings.hf_cache_dir and settings.hf_cache_dir.expanduser()
    try:
        found = try_to_load_from_cache(settings.weights, name, cache_dir=cache, revision=settings.hf_revision)
    except HFValidationError:  # neither a hub id nor a folder
        return None
    return Path(found) if isinstance(found, str) else None


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None
