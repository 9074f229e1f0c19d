"""Each lever of a profile is what it says for Qwen-Image-Edit, or is refused."""

import logging
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.support.jobs import edited, job, key
from worker.contract.catalog import MODELS
from worker.contract.errors import ModelError, SettingsError
from worker.models.pipelines.editing import PipelineEditor
from worker.models.registry import editor_of
from worker.models.speed.attention import set_attention
from worker.models.speed.capabilities import machine_of
from worker.models.speed.fp8 import multiplies_fp8
from worker.settings.fleet import load_settings

CPU = torch.device("cpu")
SPEC = MODELS["tiny-qwen"]


def loaded(folder: Path, **settings: object) -> PipelineEditor:
    """Load the tiny model with settings."""
    profile = load_settings(diffuser_model_name="tiny-qwen", **settings).profile_on(gpu=False)
    return editor_of(SPEC).load(folder, profile, device=CPU, compile_cache=folder, prompt_cache=2**22)


def test_fusing_is_refused() -> None:
    """A lever that would change nothing is not taken for one."""
    for name in ("Qwen-Image-Edit", "tiny-qwen"):
        with pytest.raises(SettingsError) as refused:
            load_settings(diffuser_model_name=name, fuse_qkv=True)
        assert str(refused.value) == (
            f"FLEET_FUSE_QKV: {name} has no projections that diffusers can fuse; leave it out."
        )
    assert load_settings(diffuser_model_name="tiny-qwen", fuse_qkv=False).fuse_qkv is False


def test_a_profile_does_without_it(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What the log says of a profile is what was done, and the profile is the one that a run can demand."""
    caplog.set_level(logging.INFO, "worker.models.speed.tuning")
    model = loaded(folder, profile="exact", compile=False, attention="native")
    assert "profile exact (compiled=False, attention=native) on this CPU: as diffusers does it" in caplog.text
    assert hasattr(model.pipeline.transformer.transformer_blocks[0].attn, "to_q")
    assert str(load_settings(diffuser_model_name="Qwen-Image-Edit", profile="exact").profile_on(gpu=True)) == "exact"


def test_the_layers_of_the_blocks_multiply_in_fp8(folder: Path) -> None:
    """All but the modulation's, which have a row per image."""
    if not multiplies_fp8(CPU):
        pytest.skip("needs a device that multiplies in fp8; of CPUs torch 2.13 is the first to do so")
    model = loaded(folder, fp8=True)
    linears = {name for name, one in model.pipeline.transformer.named_modules() if isinstance(one, nn.Linear)}
    assert {name.split(".", 2)[2] for name in linears if "blocks." in name} == {"img_mod.1", "txt_mod.1"}
    assert edited(model, key(steps=1), [job(1)], 1)[0].std() > 1


def test_attention_that_takes_no_mask_is_passed_over(model: PipelineEditor) -> None:
    """A row's padding would have a part in its picture; a kernel that cannot leave it out is tried, and refused."""
    transformer = model.pipeline.transformer
    assert set_attention(transformer, "_native_flash", machine_of(CPU)) == "_native_flash"
    with pytest.raises(ModelError, match=r"^FLEET_ATTENTION=_native_flash cannot be used here \(.*mask"):
        set_attention(transformer, "_native_flash", machine_of(CPU), masked=model.masked)
    assert set_attention(transformer, "auto", machine_of(CPU), masked=model.masked) == "native"


def test_the_autoencoder_stays_as_it_is(model: PipelineEditor) -> None:
    """Its convolutions go over time, too: torch's layout for pictures is not theirs."""
    assert model.pipeline.vae.decoder.conv_in.weight.is_contiguous()
