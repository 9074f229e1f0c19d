"""What the catalog says of a checkpoint's work and size is what its architecture comes to, counted by torch."""

from functools import cache
from typing import Any

import pytest
import torch

from tests.support.work import flop_of_qwen, require_told
from worker.contract.catalog import MODELS
from worker.models.klein import architecture as klein
from worker.models.qwen import architecture as qwen

META = torch.device("meta")


@cache
def klein_of(size: str) -> Any:
    """Build a FLUX.2 [klein] without memory for its weights."""
    return klein.build(
        {"4B": klein.FULL_4B, "9B": klein.FULL_9B}[size], distilled=True, device=META, dtype=torch.bfloat16
    )


@cache
def qwen_of_2511() -> Any:
    """Build Qwen-Image-Edit likewise."""
    return qwen.build(qwen.FULL, device=META, dtype=torch.bfloat16)


#: By hub id; a base is built as what was distilled from it, 2509 as 2511.
BUILT = {
    "black-forest-labs/FLUX.2-klein-4B": lambda: klein_of("4B"),
    "black-forest-labs/FLUX.2-klein-base-4B": lambda: klein_of("4B"),
    "black-forest-labs/FLUX.2-klein-9B": lambda: klein_of("9B"),
    "black-forest-labs/FLUX.2-klein-base-9B": lambda: klein_of("9B"),
    "Qwen/Qwen-Image-Edit-2511": qwen_of_2511,
    "Qwen/Qwen-Image-Edit-2509": qwen_of_2511,
}


def test_every_checkpoint_is_counted() -> None:
    """None is left out of the table above, but those that `tests/models/kontext/test_architecture.py` builds.

    And KV's, whose networks are the 9B's, and whose steps `tests/models/bench/test_sizes.py` counts.
    """
    known = {one.hub_id for spec in MODELS.values() for one in spec.checkpoints}
    of_kontext = {"black-forest-labs/FLUX.1-Kontext-dev", "black-forest-labs/FLUX.1-dev"}
    assert known == {*BUILT, *of_kontext, "black-forest-labs/FLUX.2-klein-9b-kv"}


@pytest.mark.parametrize("hub_id", BUILT)
def test_the_catalog_has_its_work_and_size(hub_id: str) -> None:
    """In the model's own steps, with a second pass where there is true CFG; bf16 takes two bytes a number."""
    require_told(hub_id, BUILT[hub_id](), flop_of_qwen if hub_id.startswith("Qwen/") else None)
