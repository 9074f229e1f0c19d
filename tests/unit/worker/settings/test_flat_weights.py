"""What DataFlow has downloaded is found, where it is the model's own and whole."""

import logging
from pathlib import Path

import pytest

from worker.models.weights.fetching import fetch_weights
from worker.settings.flat_weights import flat_weights
from worker.settings.fleet import Settings, load_settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder as DataFlow leaves it."""
    (tmp_path / "model_index.json").write_text('{"_class_name": "FluxKontextPipeline"}')
    return tmp_path


def settings(folder: Path | None, **others: object) -> Settings:
    """Make settings for FLUX-Kontext."""
    return load_settings(diffuser_model_name="FLUX-Kontext", hf_local_dir=folder, **others)


def test_weights_in_the_folder_itself_are_loaded(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """FLEET_HF_LOCAL_DIR is all that must be said; the log says that they were found there."""
    caplog.set_level(logging.INFO)
    assert fetch_weights(settings(folder)) == folder
    assert caplog.messages == [f"weights: those that lie in FLEET_HF_LOCAL_DIR itself, {folder}, are taken"]


@pytest.mark.parametrize("others", [{"hf_model_name_or_path": "somebody/finetuned"}, {"hf_revision": "v2"}], ids=str)
def test_others_than_the_models_own_are_not_taken_from_there(folder: Path, others: dict[str, object]) -> None:
    """Nothing in the folder says whose weights they are."""
    assert flat_weights(settings(folder, **others)) is None


def test_our_own_download_goes_first(folder: Path) -> None:
    """It is known to be this model's, of this revision."""
    chosen = settings(folder)
    assert chosen.download_folder is not None
    chosen.download_folder.mkdir()
    assert flat_weights(chosen) is None


@pytest.mark.parametrize("index", [None, "{", "[]", '{"_class_name": "StableDiffusionPipeline"}'])
def test_another_models_weights_are_left_alone(folder: Path, index: str | None) -> None:
    """As is a folder of none: the model is downloaded beside them."""
    file = folder / "model_index.json"
    file.unlink() if index is None else file.write_text(index)
    assert flat_weights(settings(folder)) is None


def test_a_download_that_was_cut_is_not_taken(folder: Path) -> None:
    """The hub's client keeps what it has of a file under another name until it is whole."""
    cut = folder / ".cache/huggingface/download/transformer/abc.incomplete"
    cut.parent.mkdir(parents=True)
    cut.touch()
    assert flat_weights(settings(folder)) is None


def test_files_of_two_downloads_are_not_taken(folder: Path) -> None:
    """The second may have been cut between two files, with the index of one model over the weights of another."""
    for name, commit in (("model_index.json", "a" * 40), ("vae/config.json", "b" * 40)):
        note = folder / f".cache/huggingface/download/{name}.metadata"
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(f"{commit}\netag\n1.0\n")
    assert flat_weights(settings(folder)) is None


def test_a_class_of_several_models_says_nothing(folder: Path) -> None:
    """Klein's 4B and 9B have one, and other licences."""
    (folder / "model_index.json").write_text('{"_class_name": "Flux2KleinPipeline", "is_distilled": true}')
    assert flat_weights(load_settings(diffuser_model_name="FLUX.2-klein", hf_local_dir=folder)) is None


def test_without_the_setting_nothing_is_looked_for() -> None:
    """The hub's own cache is the place then."""
    assert flat_weights(settings(None)) is None
