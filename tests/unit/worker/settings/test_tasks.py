"""What is made of a row is said once, at the start; what makes no sense with it is refused in one sentence."""

from typing import Any

import pytest

from worker.contract.catalog import MODELS, doing, listed
from worker.contract.errors import SettingsError
from worker.settings.fleet import Settings, load_settings


def made(model: str = "FLUX-Kontext", **given: Any) -> Settings:
    """Read settings of text2image."""
    return load_settings(diffuser_model_name=model, image_gen_task="text2image", **given)


@pytest.mark.parametrize(
    ("model", "size"), [("FLUX-Kontext", "1024x1024"), ("FLUX.1-dev", "1024x1024"), ("tiny-klein", "256x256")]
)
def test_the_size_is_the_models_square_one(model: str, size: str) -> None:
    """Where none is named."""
    assert made(model).model_size == size
    assert made(model, size="512x520").model_size == "512x512"


def test_an_edit_has_the_inputs_shape() -> None:
    """As ever, where none is named."""
    assert (load_settings().size, load_settings().model_size) == (None, "auto")


@pytest.mark.parametrize("size", ["auto", "input", "bucket"])
def test_a_size_that_follows_from_a_picture_is_refused(size: str) -> None:
    """One sentence that says what to name."""
    with pytest.raises(SettingsError) as refused:
        made(size=size)
    assert str(refused.value) == (
        f"FLEET_SIZE: {size} follows from a picture, and text2image has none; name a width and a height such as"
        " 1024x1024, or leave it out."
    )


@pytest.mark.parametrize("multi_image", ["stitch", "references"])
def test_several_images_are_refused(multi_image: str) -> None:
    """There are none."""
    with pytest.raises(SettingsError) as refused:
        made("FLUX.2-klein", multi_image=multi_image)
    assert str(refused.value) == (
        f"FLEET_MULTI_IMAGE: text2image takes no pictures, and {multi_image} would do nothing; leave it out."
    )


def test_turns_are_refused() -> None:
    """Each but the first would be an edit."""
    with pytest.raises(SettingsError) as refused:
        made("FLUX.2-klein", turns="each")
    assert str(refused.value) == (
        "FLEET_TURNS: text2image edits no picture, not even its own, as each would; leave it out, and edit the output"
        " in another run."
    )


@pytest.mark.parametrize(
    ("model", "task", "does"), [("demo", "text2image", "imageedit"), ("FLUX.1-dev", "imageedit", "text2image")]
)
def test_a_task_that_the_model_does_not_do_is_refused(model: str, task: str, does: str) -> None:
    """One sentence that names what it does, and models that do the other."""
    with pytest.raises(SettingsError) as refused:
        load_settings(diffuser_model_name=model, image_gen_task=task)
    *others, last = [name for name in listed() if task in MODELS[name].tasks]
    assert str(refused.value) == (
        f"FLEET_IMAGE_GEN_TASK: {model} does {does}, and no {task}; set it so, or name a model that does {task}:"
        f" {', '.join(others)} or {last}."
    )


def test_every_task_is_done_by_a_listed_model() -> None:
    """Of which a sentence can name several."""
    assert {"FLUX-Kontext", "FLUX.1-dev", "FLUX.2-klein"} <= set(doing("text2image"))
    assert "FLUX.1-dev" not in doing("imageedit")


def test_pictures_may_come_where_images_would_be() -> None:
    """There is nothing else in that column; an edit would lose what it was made from."""
    assert made(output_image_key="images").output_image_key == "images"
    with pytest.raises(SettingsError, match="FLEET_INPUT_IMAGE_KEY and FLEET_OUTPUT_IMAGE_KEY must differ"):
        load_settings(output_image_key="images")
    with pytest.raises(SettingsError, match="FLEET_INPUT_IMAGE_KEY and FLEET_OUTPUT_ERROR_KEY must differ"):
        made(output_error_key="images")


def test_a_workers_lanes_are_those_of_its_task() -> None:
    """Rows that demand a profile among them."""
    one, other = load_settings(), made()
    assert set(one.lanes).isdisjoint(other.lanes)
    assert other.lane in other.lanes
    assert made(demand_profile="exact").queue in other.lanes
