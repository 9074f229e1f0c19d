"""Training of the demo model: it sees what the pipeline would see, and goes on after an interruption."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import FluxKontextPipeline
from torch.nn.functional import pad

from worker.buckets import Bucket
from worker.errors import ModelError
from worker.models.demo.train import latents, state
from worker.models.demo.train.autoencoder import Round, train_autoencoder
from worker.models.demo.train.data import bank
from worker.models.demo.train.export import export
from worker.models.demo.train.flow import Batch, loss_of, train_transformer
from worker.models.demo.train.instructions import Instruction
from worker.models.demo.train.networks import untrained
from worker.models.demo.train.text import embed
from worker.models.loading import load_pipeline

CPU = torch.device("cpu")
SIZE = Bucket(96, 96)
SHORT = (Round(steps=5, rate=1e-3, absolute=0.25, spread=1e-3), Round(steps=4, rate=1e-3, absolute=0.1, spread=0.0))


class Interruption(Exception):  # noqa: N818 - it is no error
    """Stands for a power cut."""


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    """Draw a few pictures."""
    return bank(1, Bucket(128, 128), 8)


def weights_of(*networks: torch.nn.Module) -> torch.Tensor:
    """Return all weights in one row."""
    return torch.cat([weight.detach().flatten() for network in networks for weight in network.parameters()])


def train(work: Path, pictures: torch.Tensor) -> Any:
    """Train both parts for a few steps."""
    pipeline = untrained(CPU, seed=1)
    train_autoencoder(pipeline.vae, pictures, work, seed=1, rounds=SHORT)
    latents.normalise(pipeline.vae, pictures.float() / 255)
    sizes = {
        size: latents.encode_size(pipeline.vae, size, 2, seed) for seed, size in enumerate((SIZE, Bucket(160, 384)))
    }
    costs = latents.weights(pipeline.vae, pictures[:2].float() / 255)
    train_transformer(pipeline, work / "transformer.pt", sizes, costs, steps=5, seed=1)
    return pipeline


def test_an_interrupted_training_goes_on(
    pictures: torch.Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted in every part, it goes on from the last saving; the autoencoder ends with the same bits."""
    monkeypatch.setattr(state, "INTERVAL", 2)
    whole, pieces = tmp_path / "whole", tmp_path / "pieces"
    whole.mkdir()
    pieces.mkdir()
    expected = train(whole, pictures)
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
            train(pieces, pictures)
    resumed = train(pieces, pictures)
    assert [file.name for file in cuts] == ["autoencoder-0.pt", "autoencoder-1.pt", "transformer.pt"]
    assert torch.equal(weights_of(expected.vae), weights_of(resumed.vae))
    assert taken == {
        "autoencoder-0.pt": [0, 1, 2, 2, 3, 4],
        "autoencoder-1.pt": [0, 1, 2, 2, 3],
        "transformer.pt": [0, 1, 2, 2, 3, 4],
    }


def test_what_is_exported_is_a_checkpoint_for_the_worker(pictures: torch.Tensor, tmp_path: Path) -> None:
    """A trained pipeline takes the place of an older folder, in bf16, and loads as any other checkpoint does."""
    pipeline = train(tmp_path, pictures)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model_index.json").touch()
    (tmp_path / "out" / "old.txt").touch()
    export(pipeline, tmp_path / "out")
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
        export(untrained(CPU, seed=1), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_progress_of_another_training_is_refused(pictures: torch.Tensor, tmp_path: Path) -> None:
    """A quick try is not taken for the beginning of the real training, nor is a broken file."""
    train_autoencoder(untrained(CPU, seed=1).vae, pictures, tmp_path, seed=1, rounds=SHORT)
    longer = (replace(SHORT[0], steps=6), SHORT[1])
    with pytest.raises(ModelError, match=r"autoencoder-0\.pt is of another training"):
        train_autoencoder(untrained(CPU, seed=1).vae, pictures, tmp_path, seed=1, rounds=longer)
    (tmp_path / "autoencoder-0.pt").write_bytes(b"broken")
    with pytest.raises(ModelError, match=r"autoencoder-0\.pt is broken"):
        train_autoencoder(untrained(CPU, seed=1).vae, pictures, tmp_path, seed=1, rounds=SHORT)


@torch.no_grad()
def test_training_sees_what_the_pipeline_makes() -> None:
    """Packed source, position ids, timestep and guidance are those with which the pipeline calls the transformer."""
    pipeline = untrained(CPU, seed=1)
    calls: list[dict[str, Any]] = []
    hook = pipeline.transformer.register_forward_pre_hook(
        lambda _module, _arguments, named: calls.append(named), with_kwargs=True
    )
    image = bank(1, Bucket(160, 96), 1)
    pipeline(
        image=image.float() / 255, prompt="Make it red.", width=160, height=96, max_area=160 * 96, _auto_resize=False,
        num_inference_steps=1, guidance_scale=3.5,
    )  # fmt: skip
    theirs = calls.pop()
    source = latents.encode(pipeline.vae, image.float() / 255)
    instruction = Instruction("Make it red.", ("red",))
    loss_of(pipeline, Batch(source, source, [instruction]), torch.ones(24), torch.Generator().manual_seed(1))
    ours = calls.pop()
    hook.remove()
    assert torch.equal(ours["img_ids"], theirs["img_ids"])
    assert ours["hidden_states"].shape == theirs["hidden_states"].shape
    half = ours["hidden_states"].shape[1] // 2
    # Encoded in bf16 here, in fp32 there.
    assert torch.allclose(ours["hidden_states"][:, half:], theirs["hidden_states"][:, half:], atol=0.05)
    assert theirs["timestep"].item() == 1.0  # all noise
    assert theirs["guidance"].item() == 3.5


@torch.no_grad()
def test_shortened_instructions_are_what_the_pipeline_reads() -> None:
    """With one padded token for hundreds the transformer computes what it computes from the pipeline's embeddings."""
    pipeline = untrained(CPU, seed=1)
    texts = ["Make it red.", "Could you make the whole picture look like an old photograph, please?"]
    short, (sequence, pooled, ids) = embed(pipeline, texts), pipeline.encode_prompt(prompt=texts, prompt_2=None)
    assert short.sequence.shape[1] < 20
    assert torch.allclose(short.pooled, pooled, atol=1e-5)
    tokens = torch.randn(2, 32, 96, generator=torch.Generator().manual_seed(1))
    where = FluxKontextPipeline._prepare_latent_image_ids(2, 4, 8, CPU, torch.float32)  # noqa: SLF001 - the real one
    common = {"hidden_states": tokens, "timestep": torch.tensor([0.3, 0.9]), "guidance": torch.full((2,), 3.5)}
    found, expected = (
        pipeline.transformer(
            encoder_hidden_states=text, pooled_projections=pool, txt_ids=ids[: text.shape[1]], img_ids=where,
            joint_attention_kwargs=extra, **common,
        ).sample
        for text, pool, extra in (
            (short.sequence, short.pooled, {"attention_mask": pad(short.bias, (0, 32))}),
            (sequence, pooled, None),
        )
    )  # fmt: skip
    assert torch.allclose(found, expected, atol=1e-4)
    assert expected.std() > 0.1
