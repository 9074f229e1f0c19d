"""What DataFlow's scripts give a serving, as parameters of runs."""

from types import SimpleNamespace
from typing import Any

import pytest

from producer.dataflow.arguments import Arguments


def arguments(**given: Any) -> Arguments:
    """Return the arguments of DataFlow's guide, with others."""
    guide: dict[str, Any] = {
        "image_io": SimpleNamespace(save_path="."), "hf_model_name_or_path": None, "hf_cache_dir": None,
        "hf_local_dir": None, "task": "imageedit", "batch_size": 4, "model": "FLUX-Kontext", "height": None,
        "width": None, "steps": None, "guidance": None, "num_images": 1,
    }  # fmt: skip
    return Arguments(**{**guide, **given})


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({}, None),  # each picture's own shape
        ({"height": 1024, "width": 1024}, None),  # DataFlow's default, which a script may spell out
        ({"height": 720, "width": 1280}, "1360x768"),  # √(2²⁰ · 16/9) = 1365.3, √(2²⁰ · 9/16) = 768, by 16
        ({"height": 512, "width": 512}, "1024x1024"),  # the ratio alone counts
        ({"width": 2048}, "1440x720"),  # 2:1, the other side being 1024: 1448.2 and 724.1
        ({"model": "FLUX", "task": "text2image"}, None),
        ({"model": "FLUX", "task": "text2image", "height": 720, "width": 1280}, "1280x720"),
    ],
)
def test_height_and_width(given: dict[str, Any], size: str | None) -> None:
    """Of an edit their ratio counts, at the model's area; of a picture from a text they are its size."""
    assert arguments(**given).parameters().get("size") == size


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("FLUX-Kontext", 50, 2.5)),
        ({"steps": 28, "guidance": 3.5}, ("FLUX-Kontext", 28, 3.5)),
        ({"model": "FLUX", "task": "text2image"}, ("FLUX.1-dev", 50, 2.5)),
        ({"model": "FLUX.2-klein"}, ("FLUX.2-klein", None, None)),
    ],
)
def test_what_is_not_given_is_dataflows_for_its_own_models(given: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """Steps and guidance that a script leaves out are DataFlow's for FLUX and FLUX-Kontext, and other models' own."""
    found = arguments(**given).parameters()
    assert (found["model"], found.get("steps"), found.get("guidance")) == expected


def test_a_list_of_models_is_a_number_of_workers() -> None:
    """As many workers of one model as the list is long."""
    listed = arguments(hf_model_name_or_path=["owner/model"] * 3)
    assert listed.workers() == 3
    assert listed.parameters()["hf_model_name_or_path"] == "owner/model"
    assert arguments(hf_model_name_or_path="owner/model").workers() is None
