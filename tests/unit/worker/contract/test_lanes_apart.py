"""A worker never looks where rows lie that it cannot do: of another contract, another model, or another revision."""

from typing import Any

import pytest

from worker.contract import messages
from worker.contract.lanes import run_queue
from worker.contract.messages import queue_names
from worker.settings.fleet import load_settings

RUN = "0123456789abcdef"
KONTEXT = {"diffuser_model_name": "FLUX-Kontext", "hf_model_name_or_path": "owner/model", "hf_revision": "v1"}


def lanes(**given: Any) -> set[str]:
    """Return every lane that a worker with these settings might look into, whatever its profile."""
    return set(queue_names(load_settings(**given).model))


@pytest.mark.parametrize(
    "other",
    [
        {"hf_revision": "v2"},
        {"hf_revision": None},
        {"hf_model_name_or_path": "owner/other"},
        {"diffuser_model_name": "demo"},
    ],
    ids=["another revision", "no revision", "other weights", "another model"],
)
def test_workers_of_other_weights_look_elsewhere(other: dict[str, Any]) -> None:
    """Their lanes have none in common with those of the run."""
    assert lanes(**KONTEXT).isdisjoint(lanes(**{**KONTEXT, **other}))


def test_workers_of_another_contract_look_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its version is in the names of lanes, and so of runs' queues."""
    ours = lanes(**KONTEXT)
    monkeypatch.setattr(messages, "VERSION", messages.VERSION + 1)
    theirs = lanes(**KONTEXT)
    assert ours.isdisjoint(theirs)
    assert {run_queue(lane, RUN) for lane in ours}.isdisjoint(run_queue(lane, RUN) for lane in theirs)
