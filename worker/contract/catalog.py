"""The models that the fleet knows, by name; no torch."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from worker.contract.families import ENTRIES
from worker.contract.model_spec import Checkpoint, ModelSpec
from worker.contract.parameters import Task

MODELS: Final = {spec.name: spec for spec in ENTRIES}

#: From where on names are taken for nearly the same, by difflib: "klein" for "FLUX.2-klein" is at 0.59, "SDXL" for
#: "FLUX-Kontext" at 0.25; and a name that is for tests alone, which nobody means who is only near it.
_NEAR: Final = 0.55
_NEAREST: Final = 0.85


def listed() -> list[str]:
    """Return the models' names, without those that are for tests alone."""
    return [spec.name for spec in MODELS.values() if not spec.hidden]


def doing(task: Task) -> list[str]:
    """Return the names of the models that do a task, without those that are for tests alone."""
    return [name for name in listed() if task in MODELS[name].tasks]


def unknown(name: str) -> str:
    """Say that there is no such model: which was probably meant, or else which there are."""
    for names, cutoff in ((MODELS, _NEAREST), (listed(), _NEAR)):
        spelled = {known.lower(): known for known in names}
        if near := get_close_matches(name.lower(), spelled, n=1, cutoff=cutoff):
            return f"unknown model; the nearest is {spelled[near[0]]}"
    begun = [known for known in listed() if name and known.lower().startswith(name.lower())]
    if len(begun) == 1:
        return f"unknown model; the nearest is {begun[0]}"
    *others, last = listed()
    return f"unknown model; there are {', '.join(others)} and {last}"


def checkpoint_of(weights: str) -> tuple[ModelSpec, Checkpoint] | None:
    """Return what is known of a hub id; None of one that is not."""
    return next(((spec, one) for spec in ENTRIES for one in spec.checkpoints if one.hub_id == weights), None)


def model_id(name: str, weights: str, revision: str | None) -> str:
    """Name one exact set of weights, the same for producer and worker.

    Where the weights come with this package, the model's name says it all. A local folder is named by its absolute
    path, which producer and workers share like any other path.
    """
    if name in MODELS and MODELS[name].source != "hub":
        return name
    folder = Path(weights).expanduser()
    where = str(folder.absolute()) if folder.is_dir() or weights.startswith(("/", "./", "../", "~")) else weights
    return f"{name}:{where}@{revision or 'main'}"


def objection(index: Mapping[str, Any], spec: ModelSpec) -> str | None:
    """Say why a checkpoint is not of a model, as a clause after its name, given its model_index.json; None if it is."""
    found, distilled = index.get("_class_name"), bool(index.get("is_distilled"))
    if found == spec.pipeline and spec.distilled in {None, distilled}:
        return None
    fits = (one for one in ENTRIES if one.pipeline == found and one.distilled in {None, distilled} and one.checkpoints)
    if (other := next(fits, None)) is not None:
        return f"holds a {other.name}; set FLEET_DIFFUSER_MODEL_NAME={other.name} for it, or name one of {spec.name}"
    return f"holds a {found}, where {spec.name} is a {spec.pipeline}; name another one"
