"""Where the weights come from, and what to do where they cannot be had: against a hub on this machine."""

import socket
from pathlib import Path

import pytest

from tests.support.hub import REFUSALS, fetch

#: Folder of weights: what its model_index.json holds; None: it has none.
FOLDERS = {
    "right": '{"_class_name": "FluxKontextPipeline"}',
    "empty": None,
    "broken": '{"_class_name": ',
    "list": "[]",
    "other": '{"_class_name": "StableDiffusionPipeline"}',
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder for caches, with a folder of weights for each of the cases above."""
    folder = tmp_path_factory.mktemp("weights")
    for name, index in FOLDERS.items():
        (folder / name).mkdir()
        if index is not None:
            (folder / name / "model_index.json").write_text(index)
    return folder


@pytest.fixture(scope="module")
def answers(hub: str, folder: Path) -> dict[str, str]:
    """Ask for weights of every kind; return the answers by name."""
    owners = ["fine", "gated-files", "hangs-up", *REFUSALS]
    asked = {
        **{owner: {"hf_model_name_or_path": f"{owner}/model", "hf_revision": "v9"} for owner in owners},
        **{name: {"hf_model_name_or_path": str(folder / name)} for name in [*FOLDERS, "absent"]},
        **{
            name: {"hf_model_name_or_path": f"fine/{name}", "hf_local_dir": str(folder / "models")}
            for name in ("one", "two")
        },
        "no id": {"hf_model_name_or_path": "not a hub id"},
    }
    return dict(zip(asked, fetch(hub, folder, *asked.values()), strict=True))


@pytest.mark.parametrize(
    ("case", "problem", "advice"),
    [
        ("gated", "gated/model are gated", "set HF_TOKEN to a token of that account"),
        ("gated-without-token", "are gated", "accept their licence on the model's page"),
        ("gated-files", "are gated", "accept their licence on the model's page"),
        ("unknown", "The hub has no model unknown/model", "check FLEET_HF_MODEL_NAME_OR_PATH"),
        ("unknown-without-token", "this HF_TOKEN may not see it", "check FLEET_HF_MODEL_NAME_OR_PATH"),
        ("other-revision", "other-revision/model has no revision v9", "check FLEET_HF_REVISION"),
        ("down", "down/model are not on this machine", "set FLEET_HF_MODEL_NAME_OR_PATH to a local folder"),
        ("hangs-up", "hangs-up/model are not on this machine", "set FLEET_HF_MODEL_NAME_OR_PATH to a local folder"),
        ("no id", "'not a hub id' is neither a hub id", "check FLEET_HF_MODEL_NAME_OR_PATH"),
        ("absent", "No folder /", "FLEET_HF_MODEL_NAME_OR_PATH takes a hub id or an existing folder"),
        ("empty", "/empty holds no diffusers model", "model_index.json is missing or broken"),
        ("broken", "/broken holds no diffusers model", "model_index.json is missing or broken"),
        ("list", "/list holds a None", "where FLUX-Kontext is a FluxKontextPipeline; name another one"),
        (
            "other",
            "/other holds a StableDiffusionPipeline",
            "where FLUX-Kontext is a FluxKontextPipeline; name another one",
        ),
    ],
)
def test_missing_weights_say_what_to_do(answers: dict[str, str], case: str, problem: str, advice: str) -> None:
    """Weights that cannot be had are a ModelError of one sentence: what is wrong, and what to do."""
    error = answers[case]
    assert error.startswith("ModelError: ")
    assert error.endswith(".")
    assert "\n" not in error
    assert problem in error
    assert advice in error


def test_an_unreachable_hub_is_named(folder: Path) -> None:
    """Without a network the error says so, and that a local folder would do."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # nobody listens on it
        [error] = fetch(f"http://127.0.0.1:{unused.getsockname()[1]}", folder, {"hf_model_name_or_path": "far/away"})
    assert error.startswith("ModelError: The weights far/away are not on this machine")
    assert "Connection refused" in error
    assert error.endswith("check the network, or set FLEET_HF_MODEL_NAME_OR_PATH to a local folder.")


def test_a_local_folder_is_used_as_it_is(answers: dict[str, str], folder: Path) -> None:
    """Weights in a folder need no hub."""
    assert answers["right"] == str(folder / "right")


def test_a_download_goes_into_the_cache(answers: dict[str, str], folder: Path) -> None:
    """Without a folder of their own, weights go to the hub's cache."""
    assert Path(answers["fine"]).is_relative_to(folder / "hub")


def test_each_model_has_a_folder_of_its_own(answers: dict[str, str], folder: Path) -> None:
    """Two models that are downloaded into one `hf_local_dir` do not mix, and what is not needed stays away."""
    assert answers["one"] == str(folder / "models" / "fine--one")
    assert answers["two"] == str(folder / "models" / "fine--two")
    for name in ("one", "two"):
        assert [path.name for path in Path(answers[name]).iterdir() if path.is_file()] == ["model_index.json"]
        # Without its chat a tokenizer would make something else of an instruction.
        assert (folder / "models" / f"fine--{name}" / "tokenizer" / "chat_template.jinja").is_file()
