"""How a row was made, as its output tells on demand: the column `details`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

#: The column's name.
DETAILS: Final = "details"

#: What it may hold.
_KEYS: Final = frozenset({"seed", "size", "profile", "weights", "lora", "seconds", "worker", "batch", "turns"})


def details_of(outcome: Mapping[str, Any], shown: Callable[[str], str]) -> dict[str, Any]:
    """Return the details of a row's outcome; empty where no worker has had it. `shown` is how a path is written."""
    if "worker" not in outcome:
        return {}
    batch = {"id": outcome.get("batch_id"), "rows": outcome.get("batch_size"), "of": outcome.get("batch_limit")}
    images = len(outcome.get("paths", ())) or 1
    earlier = [shown(path) for path in outcome.get("earlier_paths", ())]
    details = {
        **{key: outcome.get(key) for key in ("seed", "profile", "weights", "seconds", "worker")},
        "lora": outcome.get("lora") or None,
        "size": outcome.get("bucket"),
        "batch": batch if batch["id"] is not None else None,
        "turns": [earlier[first : first + images] for first in range(0, len(earlier), images)] or None,
    }
    return {key: value for key, value in details.items() if value not in (None, "")}


def are_details(value: object) -> bool:
    """Tell whether a column was written by an earlier run of ours."""
    return isinstance(value, dict) and value.keys() <= _KEYS and "worker" in value
