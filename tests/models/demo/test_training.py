"""Training of the demo model goes on after an interruption, and mixes nothing up that it has kept."""

import shutil
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from worker.contract.buckets import Bucket
from worker.contract.errors import ModelError
from worker.models.demo.train import autoencoder, batches, latents, state
from worker.models.demo.train.autoencoder import Round, train_autoencoder
from worker.models.demo.train.batches import Batch
from worker.models.demo.train.data import bank
from worker.models.demo.train.export import Training, export
from worker.models.demo.train.flow import loss_of, train_transformer
from worker.models.demo.train.instructions import NAMES, Instruction
from worker.models.demo.train.networks import untrained
from worker.models.weights.loading import load_pipeline

CPU = torch.device("cpu")
SIZE = Bucket(96, 96)
RED = Instruction("Make it red.", ("red",))
SHORT = (Round(steps=5, rate=1e-3, absolute=0.25, spread=1e-3), Round(steps=4, rate=1e-3, absolute=0.1, spread=0.0))
TRAINING = Training(seed=1, device="2 CPU cores", torch="2.13.0", autoencoder=(5, 4), transformer=5, minutes=(1, 1))


class Interruption(Exception):  # noqa: N818 - it is no error
    """Stands for a power cut."""


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    """Draw a few pictures."""
    return bank(1, Bucket(96, 96), 8)


@pytest.fixture(scope="module", autouse=True)
def _short() -> Iterator[None]:
    """Train at a small size and at a large one, with a fraction of the pictures; all of them take minutes."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(autoencoder, "_BATCH", 2)
        monkeypatch.setattr(batches, "_TOKENS", 256)
        monkeypatch.setattr(latents, "SMALL", (SIZE,))
        monkeypatch.setattr(latents, "DEMO_BUCKETS", (Bucket(160, 384),))
        yield


def weights_of(*networks: torch.nn.Module) -> torch.Tensor:
    """Return all weights in one row."""
    return torch.cat([weight.detach().flatten() for network in networks for weight in network.parameters()])


def train(work: Path, pictures: torch.Tensor) -> Any:
    """Train both parts for a few steps."""
    pipeline = untrained(CPU, seed=1)
    train_autoencoder(pipeline.vae, pictures, work, seed=1, rounds=SHORT)
    latents.normalise(pipeline.vae, pictures.float() / 255)
    costs = latents.weights(pipeline.vae, pictures[:2].float() / 255)
    sizes = latents.encode_all(pipeline.vae, work, pictures=1, seed=1)
    train_transformer(pipeline, work / "transformer.pt", sizes, costs, steps=5, seed=1)
    return pipeline


class Trained(NamedTuple):
    """A training that was not interrupted. Not to be changed."""

    work: Path
    pipeline: Any


@pytest.fixture(scope="module")
def trained(pictures: torch.Tensor, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train once for the file."""
    work = tmp_path_factory.mktemp("training")
    return Trained(work, train(work, pictures))


@torch.no_grad()
def error_of(pipeline: Any, some: torch.Tensor) -> float:
    """Return how badly a transformer and its text encoders make pictures red, always with the same noise."""
    batch = Batch(some[:, NAMES.index("keep")], some[:, NAMES.index("red")], [RED] * len(some))
    return loss_of(pipeline, batch, torch.ones(24), torch.Generator().manual_seed(1)).item()


def test_an_interrupted_training_goes_on(
    trained: Trained, pictures: torch.Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted in every part, it goes on from the last saving; the autoencoder ends with the same bits."""
    monkeypatch.setattr(state, "INTERVAL", 2)
    whole, expected = trained
    iterate, cuts, taken = state.Progress.__iter__, [], {}

    def interrupted(progress: state.Progress) -> Any:
        for step in iterate(progress):
            if step == 3 and progress.file not in cuts:
                cuts.append(progress.file)
                raise Interruption
            taken.setdefault(progress.file.name, []).append(step)
            yield step

    monkeypatch.setattr(state.Progress, "__iter__", interrupted)
    for _ in range(3):
        with pytest.raises(Interruption):
            train(tmp_path, pictures)
    resumed = train(tmp_path, pictures)
    assert [file.name for file in cuts] == ["autoencoder-0.pt", "autoencoder-1.pt", "transformer.pt"]
    assert torch.equal(weights_of(expected.vae), weights_of(resumed.vae))
    # Two trainings without interruption differ as much in their weights.
    some = latents.encode_all(expected.vae, whole, pictures=1, seed=1)[SIZE].values.float()
    assert error_of(resumed, some) == pytest.approx(error_of(expected, some), rel=0.01)
    assert error_of(untrained(CPU, seed=1), some) > 1.2 * error_of(expected, some)
    assert taken == {
        "autoencoder-0.pt": [0, 1, 2, 2, 3, 4],
        "autoencoder-1.pt": [0, 1, 2, 2, 3],
        "transformer.pt": [0, 1, 2, 2, 3, 4],
    }


def test_what_is_exported_is_a_checkpoint_for_the_worker(tmp_path: Path) -> None:
    """A pipeline takes the place of an older folder, in bf16, and loads as any other checkpoint does."""
    pipeline = untrained(CPU, seed=1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model_index.json").touch()
    (tmp_path / "out" / "old.txt").touch()
    export(pipeline, tmp_path / "out", TRAINING)
    assert not (tmp_path / "out" / "old.txt").exists()
    loaded = load_pipeline(tmp_path / "out", CPU)
    assert loaded.vae.config.scaling_factor == pipeline.vae.config.scaling_factor
    expected = weights_of(pipeline.transformer, pipeline.vae, pipeline.text_encoder, pipeline.text_encoder_2)
    found = weights_of(loaded.transformer, loaded.vae, loaded.text_encoder, loaded.text_encoder_2)
    assert torch.equal(expected.float(), found)


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    """A folder with files of another kind is refused and stays as it is."""
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ModelError, match="holds something else than a checkpoint"):
        export(untrained(CPU, seed=1), tmp_path, TRAINING)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_progress_of_another_training_is_refused(pictures: torch.Tensor, tmp_path: Path) -> None:
    """A quick try is not taken for the beginning of the real training, nor is a broken file."""
    train_autoencoder(untrained(CPU, seed=1).vae, pictures, tmp_path, seed=1, rounds=SHORT)
    longer = (replace(SHORT[0], steps=6), SHORT[1])
    with pytest.raises(ModelError, match=r"autoencoder-0\.pt is of another training"):
        train_autoencoder(untrained(CPU, seed=1).vae, pictures, tmp_path, seed=1, rounds=longer)
    with pytest.raises(ModelError, match=r"autoencoder-0\.pt is of another training"):
        train_autoencoder(untrained(CPU, seed=1).vae, pictures, tmp_path, seed=2, rounds=SHORT)
    (tmp_path / "autoencoder-0.pt").write_bytes(b"broken")
    with pytest.raises(ModelError, match=r"autoencoder-0\.pt is broken"):
        train_autoencoder(untrained(CPU, seed=1).vae, pictures, tmp_path, seed=1, rounds=SHORT)


def test_the_time_of_a_training_counts_over_interruptions(tmp_path: Path) -> None:
    """Taken up again, a training knows how long it had taken."""
    file, parts = tmp_path / "some.pt", {"some": torch.nn.Linear(1, 1)}
    for _ in state.Progress(file, parts, steps=2, rate=1.0, seed=1):
        pass
    kept = state.load(file)
    assert kept["seconds"] > 0
    state.save({**kept, "seconds": 3600.0}, file)
    assert 3600 < state.Progress(file, parts, steps=2, rate=1.0, seed=1).seconds() < 7200


def test_what_was_learned_of_other_latents_is_refused(trained: Trained, tmp_path: Path) -> None:
    """Another autoencoder has latents of its own, and a transformer that knows others is not taken up for them."""
    pipeline = deepcopy(trained.pipeline)
    shutil.copytree(trained.work, tmp_path, dirs_exist_ok=True)
    before = sorted(file.name for file in tmp_path.glob("latents-*"))
    with torch.no_grad():
        pipeline.vae.encoder.conv_in.weight *= 1.5
    sizes = latents.encode_all(pipeline.vae, tmp_path, pictures=1, seed=1)
    assert len(before) == len(sizes) == 2
    assert len(sorted(tmp_path.glob("latents-*"))) == 4
    with pytest.raises(ModelError, match=r"transformer\.pt is of another training"):
        train_transformer(pipeline, tmp_path / "transformer.pt", sizes, torch.ones(24), steps=5, seed=1)


def test_weights_of_other_shapes_are_refused(tmp_path: Path) -> None:
    """Where other phrasings have made another vocabulary, the command says so instead of showing a traceback."""
    file = tmp_path / "some.pt"
    for _ in state.Progress(file, {"some": torch.nn.Linear(1, 1)}, steps=1, rate=1.0, seed=1):
        pass
    with pytest.raises(ModelError, match=r"some\.pt is of another training"):
        state.Progress(file, {"some": torch.nn.Linear(2, 1)}, steps=1, rate=1.0, seed=1)
