"""The attention backend is the best that works here, or the one that was asked for."""

from dataclasses import replace

import pytest

from tests.models.conftest import Load
from worker.contract.errors import ModelError
from worker.models.speed.attention import set_attention
from worker.models.speed.capabilities import Machine, machine_of


def test_the_best_one_that_works_is_used(load: Load) -> None:
    """A backend that is not installed, or whose kernel fails on this device, is passed over."""
    transformer = load().pipeline.transformer
    # As on a Hopper: where there is none FlashAttention 3 is not installed, and cuDNN's kernel fails on a CPU.
    hopper = Machine(name="NVIDIA H200", is_gpu=True, capability=(9, 0), has_fp8=True, lacks_compiler=None)
    expected = {"native"} if transformer.device.type == "cpu" else {"_flash_3", "_native_cudnn"}
    assert set_attention(transformer, "auto", hopper) in expected
    ampere = replace(hopper, name="NVIDIA A100", capability=(8, 0), has_fp8=False)
    assert set_attention(transformer, "auto", ampere) == "native"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("flash_9", "diffusers knows no such backend"), ("_native_npu", "is not usable because of missing package")],
)
def test_one_that_cannot_be_used_is_refused(load: Load, name: str, reason: str) -> None:
    """What was asked for is not replaced silently."""
    transformer = load().pipeline.transformer
    with pytest.raises(ModelError, match=rf"^FLEET_ATTENTION={name} cannot be used here \(.*{reason}.*\); unset it"):
        set_attention(transformer, name, machine_of(transformer.device))
