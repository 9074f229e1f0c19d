"""A checkpoint of another family is refused in one sentence, by a worker as by the doctor."""

import json
import shutil
from pathlib import Path

import pytest

from producer.checking.tokens import instruction_reader
from producer.doctor.checkpoint import trouble_with
from tests.models.conftest import Load
from tests.support.families import REAL, fits
from worker.contract.catalog import MODELS
from worker.contract.errors import ModelError
from worker.contract.model_spec import ModelSpec
from worker.models.weights.fetching import fetch_weights
from worker.models.weights.identity import identity_of
from worker.settings.fleet import load_settings


@pytest.mark.parametrize("name", REAL)
def test_a_folder_is_of_its_own_model_alone(spec: ModelSpec, tiny: Path, name: str) -> None:
    """A worker takes it for that model, and refuses it for another, naming the one that it is of."""
    task = MODELS[name].tasks[0]
    settings = load_settings(diffuser_model_name=name, hf_model_name_or_path=str(tiny), image_gen_task=task)
    if fits(spec, name):
        assert fetch_weights(settings) == tiny
        assert trouble_with(tiny, MODELS[name]) is None
        return
    (other,) = (real for real in REAL if fits(spec, real))
    with pytest.raises(ModelError) as refused:
        fetch_weights(settings)
    assert str(refused.value) == (
        f"The folder {tiny} holds a {other}; set FLEET_DIFFUSER_MODEL_NAME={other} for it, or name one of {name}."
    )
    assert str(trouble_with(tiny, MODELS[name])).startswith(f"holds a {other}; set ")


def test_other_weights_are_other_weights(load: Load, tiny: Path, tmp_path: Path) -> None:
    """A model tells which weights it has, and a number more or less in them is told apart."""
    assert load().weights == identity_of(tiny)
    copy = Path(shutil.copytree(tiny, tmp_path / "model"))
    config = copy / "transformer" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"note": 1}))
    assert identity_of(copy) != identity_of(tiny)


@pytest.mark.parametrize(
    "text", ["", "Make it red.", "把天空变成夕阳 🌇", "a {} of braces {0} <image>", "x" * 475, "x" * 600]
)
def test_a_producer_counts_tokens_as_the_model_does(spec: ModelSpec, load: Load, tiny: Path, text: str) -> None:
    """By the checkpoint's own tokenizer, without torch; what the model reads is bounded."""
    (name,) = (real for real in REAL if fits(spec, real))
    read = instruction_reader(load_settings(diffuser_model_name=name, hf_model_name_or_path=str(tiny)))
    counted = load().reading(text)
    assert counted.read == min(counted.tokens, spec.tokens)
    assert counted.is_cut == (len(text) == 600)
    if read is None:
        assert not list(tiny.glob(f"{spec.tokenizer}/tokenizer.json"))
    else:
        assert read(text) == counted
