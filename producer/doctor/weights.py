"""The model's weights: here and whole, here in part, or still to be downloaded."""

from collections.abc import Iterator
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from producer.doctor.checkpoint import trouble_with, weight_bytes
from producer.doctor.finding import Finding, broken, in_bytes, note, well
from producer.doctor.hub import look_at_hub
from worker.contract.model_spec import ModelSpec
from worker.settings.flat_weights import flat_weights
from worker.settings.fleet import Settings


def look_at_weights(settings: Settings, endpoint: str | None = None) -> Iterator[Finding]:
    """Look where a worker would load them from; the hub (`endpoint`: another one's URL) is asked only if need be."""
    name = settings.weights
    if settings.spec.source == "package":
        checkpoint = Path(str(resources.files("worker"))) / "models/demo/checkpoint"
        yield _local(checkpoint, settings.spec, "install the project again")
        return
    if settings.spec.source == "random":
        yield well("weights", f"{settings.spec.name} makes its own, of random numbers")
        return
    folder = Path(name).expanduser()
    if folder.is_dir():
        yield _local(folder, settings.spec, "copy or download the model again")
    elif name.startswith(("/", "./", "../", "~")):
        yield broken("weights", f"there is no folder {folder}", "check FLEET_HF_MODEL_NAME_OR_PATH")
    elif find_spec("huggingface_hub") is None:
        yield note(
            "weights",
            f"whether {name} is here is not known: the hub's client is not installed",
            "pip install '.[worker]'",
        )
    else:
        yield _downloaded(settings, endpoint)


def _local(folder: Path, spec: ModelSpec, remedy: str) -> Finding:
    if (trouble := trouble_with(folder, spec)) is not None:
        return broken("weights", f"{folder} {trouble}", remedy)
    return well("weights", _whole(folder))


def _downloaded(settings: Settings, endpoint: str | None) -> Finding:
    """Look into what was downloaded; where that is nothing, or only a part, whether the rest can be."""
    folder = flat_weights(settings) or settings.download_folder or _cached(settings)
    if folder is None or not (folder / "model_index.json").exists():
        return look_at_hub(settings, f"{settings.weights} is not here", endpoint)
    if (trouble := trouble_with(folder, settings.spec)) is not None:
        return look_at_hub(settings, f"{folder} {trouble}", endpoint)
    return well("weights", _whole(folder))


def _whole(folder: Path) -> str:
    return f"{folder} is whole: {in_bytes(weight_bytes(folder))}"


def _cached(settings: Settings) -> Path | None:
    """Return the folder in the hub's cache that holds the revision, whole or not."""
    from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415 - not in the base install
    from huggingface_hub.errors import HFValidationError  # noqa: PLC0415

    cache = settings.hf_cache_dir and settings.hf_cache_dir.expanduser()
    try:
        found = try_to_load_from_cache(
            settings.weights, "model_index.json", cache_dir=cache, revision=settings.hf_revision
        )
    except HFValidationError:  # the hub's finding says it
        return None
    return Path(found).parent if isinstance(found, str) else None
