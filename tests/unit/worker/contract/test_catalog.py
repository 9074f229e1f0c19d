"""The catalog: a name that is none, weights of another model, and entries that hold together."""

import json
from typing import Any

import pytest

from worker.contract.catalog import MODELS, listed, model_id, objection, unknown
from worker.contract.errors import SettingsError
from worker.settings.fleet import load_settings


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("kontext", "FLUX-Kontext"),
        ("flux-kontext", "FLUX-Kontext"),
        ("FLUX.1-Kontext-dev", "FLUX-Kontext"),
        ("Demo", "demo"),
        ("tiny-kontxt", "tiny-kontext"),
        ("FLUX", "FLUX.1-dev"),  # as DataFlow calls it
        ("FLUX.1-Dev", "FLUX.1-dev"),
        ("klein", "FLUX.2-klein"),
        ("FLUX.2-klein-4B", "FLUX.2-klein"),
        ("flux2-klein-base", "FLUX.2-klein-base"),
        ("Qwen-Image-Edit-2511", "Qwen-Image-Edit"),
        ("qwen-image", "Qwen-Image-Edit"),
        ("Qwen", "Qwen-Image-Edit"),
        ("FLUX.2-klein-9b-kv", "FLUX.2-klein-KV"),
        ("tiny-klein-kw", "tiny-klein-kv"),
    ],
)
def test_a_near_name_is_suggested(name: str, meant: str) -> None:
    """What is nearly a name names the one that was meant, also where it is for tests alone."""
    assert unknown(name) == f"unknown model; the nearest is {meant}"
    with pytest.raises(SettingsError, match=f"^FLEET_DIFFUSER_MODEL_NAME: unknown model; the nearest is {meant} "):
        load_settings(diffuser_model_name=name)


@pytest.mark.parametrize("name", ["SDXL", "", "tiny", "x" * 1000])
def test_a_name_that_is_near_to_none_lists_all(name: str) -> None:
    """Those for tests are not among them."""
    assert unknown(name) == f"unknown model; there are {', '.join(listed()[:-1])} and {listed()[-1]}"
    assert "tiny" not in unknown(name)


def test_weights_of_another_model_are_refused() -> None:
    """A hub id that is known to be another model's is refused before anything is sent or loaded."""
    ids = [(spec.name, one.hub_id) for spec in MODELS.values() for one in spec.checkpoints]
    for name, task in ((spec.name, spec.tasks[0]) for spec in MODELS.values() if spec.source == "hub"):
        for other, hub_id in ids:
            named = {"diffuser_model_name": name, "hf_model_name_or_path": hub_id, "image_gen_task": task}
            if other == name:
                assert load_settings(**named).weights == hub_id
                continue
            with pytest.raises(SettingsError) as refused:
                load_settings(**named)
            assert str(refused.value) == (
                f"FLEET_HF_MODEL_NAME_OR_PATH: {hub_id} is no {name}; set FLEET_DIFFUSER_MODEL_NAME={other} for it, or"
                " leave the weights out."
            )


def test_models_that_bring_their_weights_take_no_others() -> None:
    """Whatever weights are named, their identity is their name."""
    for name in ("demo", "tiny-kontext"):
        assert load_settings(diffuser_model_name=name, hf_model_name_or_path="someone/weights").model == name
    assert model_id("FLUX-Kontext", "a/b", None) == "FLUX-Kontext:a/b@main"


@pytest.mark.parametrize("name", MODELS)
def test_an_entry_holds_together(name: str) -> None:
    """Buckets are multiples of what a size must be, defaults are in range, and JSON can hold it."""
    spec = MODELS[name]
    assert {side % spec.multiple for bucket in spec.buckets for side in bucket} == {0}
    assert spec.square.width == spec.square.height
    assert spec.template.count("{}") == 1
    assert (spec.source == "hub") == bool(spec.checkpoints)
    assert spec.profile in spec.profiles
    for task in spec.tasks:
        assert load_settings(diffuser_model_name=name, image_gen_task=task).guidance == spec.guidance
    assert ("imageedit" in spec.tasks) == bool(spec.references)


@pytest.mark.parametrize("index", ['{"_class_name": "FluxKontextPipeline"}', "{}", '{"_class_name": ["a"]}'])
def test_a_checkpoint_is_judged_by_its_index(index: str) -> None:
    """Only a class that is the model's own passes."""
    held: dict[str, Any] = json.loads(index)
    assert (objection(held, MODELS["FLUX-Kontext"]) is None) == (held.get("_class_name") == "FluxKontextPipeline")


def test_a_distilled_model_and_its_base_are_told_apart() -> None:
    """The index says which one a checkpoint is; the sentence names the model that it is of."""
    index = {"_class_name": "Flux2KleinPipeline", "is_distilled": True}
    assert objection(index, MODELS["FLUX.2-klein"]) is None
    assert objection(index, MODELS["FLUX.2-klein-base"]) == (
        "holds a FLUX.2-klein; set FLEET_DIFFUSER_MODEL_NAME=FLUX.2-klein for it, or name one of FLUX.2-klein-base"
    )
    assert "set FLEET_DIFFUSER_MODEL_NAME=FLUX.2-klein-base" in str(
        objection({"_class_name": "Flux2KleinPipeline"}, MODELS["FLUX-Kontext"])
    )


def test_kontext_and_what_it_was_made_of_are_told_apart() -> None:
    """Their networks are the same, and only their pipelines say which of them has seen references."""
    assert objection({"_class_name": "FluxPipeline"}, MODELS["FLUX.1-dev"]) is None
    assert objection({"_class_name": "FluxPipeline"}, MODELS["FLUX-Kontext"]) == (
        "holds a FLUX.1-dev; set FLEET_DIFFUSER_MODEL_NAME=FLUX.1-dev for it, or name one of FLUX-Kontext"
    )
    assert "set FLEET_DIFFUSER_MODEL_NAME=FLUX-Kontext" in str(
        objection({"_class_name": "FluxKontextPipeline"}, MODELS["FLUX.1-dev"])
    )


def test_guidance_for_a_distilled_model_is_refused() -> None:
    """A number that would have no effect; its own, 1, is what a run remembers of it."""
    with pytest.raises(SettingsError) as refused:
        load_settings(diffuser_model_name="FLUX.2-klein", diffuser_guidance_scale=3.5)
    assert str(refused.value) == (
        "FLEET_DIFFUSER_GUIDANCE_SCALE: FLUX.2-klein is distilled and takes no guidance; leave it out."
    )
    assert load_settings(diffuser_model_name="FLUX.2-klein", diffuser_guidance_scale=1.0).guidance == 1.0
    assert load_settings(diffuser_model_name="FLUX.2-klein-base", diffuser_guidance_scale=3.5).guidance == 3.5
