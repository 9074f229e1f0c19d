"""What the demo model's training computes is what the pipeline computes: packing, position ids, noise and attention."""

from typing import Any

import pytest
import torch
from diffusers import FluxKontextPipeline
from torch.nn.functional import pad

from worker.contract.buckets import Bucket
from worker.models.demo.train import flow, latents
from worker.models.demo.train.batches import Batch
from worker.models.demo.train.data import bank
from worker.models.demo.train.flow import loss_of
from worker.models.demo.train.instructions import Instruction
from worker.models.demo.train.networks import untrained
from worker.models.demo.train.text import embed

CPU = torch.device("cpu")
RED = Instruction("Make it red.", ("red",))


def calls_of(pipeline: Any) -> list[dict[str, Any]]:
    """Note what the transformer is called with from now on."""
    calls: list[dict[str, Any]] = []
    pipeline.transformer.register_forward_pre_hook(
        lambda _module, _arguments, named: calls.append(named), with_kwargs=True
    )
    return calls


@torch.no_grad()
def test_training_sees_what_the_pipeline_makes() -> None:
    """Packed source and position ids are those of the pipeline, which begins with nothing but noise, guided by 3.5."""
    pipeline = untrained(CPU, seed=1)
    calls = calls_of(pipeline)
    image = bank(1, Bucket(160, 96), 1)
    pipeline(
        image=image.float() / 255, prompt="Make it red.", width=160, height=96, max_area=160 * 96, _auto_resize=False,
        num_inference_steps=1, guidance_scale=3.5,
    )  # fmt: skip
    theirs = calls.pop()
    source = latents.encode(pipeline.vae, image.float() / 255)
    loss_of(pipeline, Batch(source, source, [RED]), torch.ones(24), torch.Generator().manual_seed(1))
    ours = calls.pop()
    assert torch.equal(ours["img_ids"], theirs["img_ids"])
    assert ours["hidden_states"].shape == theirs["hidden_states"].shape
    half = ours["hidden_states"].shape[1] // 2
    assert theirs["timestep"].item() == 1.0  # all noise
    assert theirs["guidance"].item() == 3.5
    # Encoded in bf16 here, in fp32 there.
    assert torch.allclose(ours["hidden_states"][:, half:], theirs["hidden_states"][:, half:], atol=0.05)


@torch.no_grad()
def test_noise_and_velocity_are_those_of_the_pipelines_scheduler() -> None:
    """A timestep says how much of a latent is noise; a step of the scheduler along what is asked for removes it."""
    pipeline = untrained(CPU, seed=1)
    calls, asked_for = calls_of(pipeline), []
    source, target = torch.randn(2, 4, 24, 12, 12, generator=torch.Generator().manual_seed(1))
    loss_of(pipeline, Batch(source, target, [RED] * 4), torch.ones(24), torch.Generator().manual_seed(2))
    (ours,) = calls
    noisy, clean = ours["hidden_states"][:, :36], pipeline._pack_latents(target, *target.shape)  # noqa: SLF001 - the real one
    for row, sigma in enumerate(ours["timestep"].tolist()):
        assert 0 < sigma < 1
        velocity = (noisy[row] - clean[row]) / sigma
        assert velocity.std() == pytest.approx((1 + clean[row].var()).sqrt().item(), rel=0.1)  # noise less picture
        pipeline.scheduler.set_timesteps(sigmas=[sigma], mu=0.0)
        stepped = pipeline.scheduler.step(velocity, pipeline.scheduler.timesteps[0], noisy[row]).prev_sample
        assert torch.allclose(stepped, clean[row], atol=1e-5)
        asked_for.append(velocity)
    answer = torch.cat([torch.stack(asked_for), torch.zeros(4, 36, 96)], dim=1)
    pipeline.transformer.register_forward_hook(lambda _module, _given, output: output.__class__(sample=answer))
    perfect = loss_of(pipeline, Batch(source, target, [RED] * 4), torch.ones(24), torch.Generator().manual_seed(2))
    assert perfect.item() < 1e-9


@torch.no_grad()
def test_plain_attention_is_the_pipelines(monkeypatch: pytest.MonkeyPatch) -> None:
    """All four blocks compute their attention as plain products, and come to what torch's own comes to."""
    calls, compute = [], flow._attention  # noqa: SLF001 - to count its calls
    monkeypatch.setattr(flow, "_attention", lambda *given, **named: calls.append(1) or compute(*given, **named))
    draw = torch.Generator().manual_seed(1)
    query, key, value = torch.randn(3, 2, 5, 40, 32, generator=draw)
    bias = torch.zeros(2, 1, 1, 40)
    bias[0, ..., 30:], bias[1, ..., -1] = float("-inf"), 6.2
    attend = torch.nn.functional.scaled_dot_product_attention
    with flow._PlainAttention():  # noqa: SLF001 - its only user has more to it
        found = attend(query, key, value, attn_mask=bias)
    assert torch.allclose(found, attend(query, key, value, attn_mask=bias), atol=1e-5)
    assert len(calls) == 1
    source = torch.randn(1, 24, 12, 12, generator=draw)
    loss_of(untrained(CPU, seed=1), Batch(source, source, [RED]), torch.ones(24), draw)
    assert len(calls) == 5


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
