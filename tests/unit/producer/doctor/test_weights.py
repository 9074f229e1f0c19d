"""What the doctor says of weights that are not here: against a hub on this machine."""

import shutil
from pathlib import Path

import pytest

from producer.doctor.finding import Finding, Verdict
from producer.doctor.weights import look_at_weights
from tests.support.hub import COMMIT
from worker.models.demo import CHECKPOINT
from worker.settings.fleet import Settings


def found(endpoint: str, folder: Path, **settings: object) -> Finding:
    """Look, with a cache in the folder."""
    (finding,) = look_at_weights(Settings.model_validate({"hf_cache_dir": folder / "hub", **settings}), endpoint)
    return finding


@pytest.mark.parametrize(
    ("owner", "problem", "advice"),
    [
        ("gated", "gated/model is not here, and it is gated for this user", "set HF_TOKEN to a token of that account"),
        ("unknown", "unknown/model is not here, and the hub has none, or hides it", "FLEET_HF_MODEL_NAME_OR_PATH"),
        ("other-revision", "the hub has no revision v9", "check FLEET_HF_REVISION"),
        ("down", "the hub cannot be asked (", "local folder"),
    ],
)
def test_what_the_hub_refuses_is_broken(hub: str, tmp_path: Path, owner: str, problem: str, advice: str) -> None:
    """With what to do about it."""
    finding = found(hub, tmp_path, hf_model_name_or_path=f"{owner}/model", hf_revision="v9")
    assert finding.verdict is Verdict.BROKEN
    assert problem in finding.found
    assert advice in str(finding.remedy)


def test_weights_that_can_be_downloaded_are_weighed(hub: str, tmp_path: Path) -> None:
    """Only what a worker needs of them; it downloads them itself."""
    finding = found(hub, tmp_path, hf_model_name_or_path="fine/model")
    assert finding.verdict is Verdict.NOTE
    assert "fine/model is not here; 0.0 MB of 0.0 MB are still to be downloaded to " in finding.found
    assert list(tmp_path.iterdir()) == [], "looking downloads nothing"


def cached(folder: Path) -> Path:
    """Lay the demo model into a cache, as the hub's client does."""
    repository = folder / "hub" / "models--fine--model"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    return Path(shutil.copytree(CHECKPOINT, repository / "snapshots" / COMMIT))


def test_weights_in_the_cache_need_no_hub(tmp_path: Path) -> None:
    """Nobody is asked where they are whole."""
    folder = cached(tmp_path)
    finding = found("http://127.0.0.1:9", tmp_path, hf_model_name_or_path="fine/model")
    assert finding.verdict is Verdict.OK
    assert finding.found.startswith(f"{folder} is whole: ")


def test_a_download_that_was_interrupted_is_told(hub: str, tmp_path: Path) -> None:
    """What lacks is named, and how much is still to come."""
    (cached(tmp_path) / "transformer" / "diffusion_pytorch_model.safetensors").unlink()
    finding = found(hub, tmp_path, hf_model_name_or_path="fine/model")
    assert finding.verdict is Verdict.NOTE
    assert "is incomplete: no transformer/*.safetensors; 0.0 MB of 0.0 MB are still to be downloaded" in finding.found


def test_a_local_folder_is_looked_at(tmp_path: Path) -> None:
    """One that is there, and one that is not."""
    assert found("", tmp_path, hf_model_name_or_path=str(CHECKPOINT)).verdict is Verdict.OK
    assert found("", tmp_path, hf_model_name_or_path=str(tmp_path)).verdict is Verdict.BROKEN
    assert found("", tmp_path, hf_model_name_or_path="./absent").found == "there is no folder absent"
