"""The autoencoder's numbers lie as convolutions want them, where that changes nothing but roundings."""

import pytest
import torch
from diffusers import AutoencoderKL

from worker.contract.profiles import PROFILES, ProfileName
from worker.models.speed.layout import set_layout


@pytest.fixture
def vae() -> AutoencoderKL:
    """Make a small autoencoder."""
    torch.manual_seed(1)
    return AutoencoderKL(block_out_channels=(32, 32), down_block_types=("DownEncoderBlock2D",) * 2,
                         up_block_types=("UpDecoderBlock2D",) * 2, norm_num_groups=8).eval()  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "device", "changed"),
    [("reference", "cpu", True), ("reference", "cuda", False), ("exact", "cuda", True), ("fast", "cuda", True)],
)
def test_where_the_layout_changes(vae: AutoencoderKL, profile: ProfileName, device: str, *, changed: bool) -> None:
    """On a CPU always; on a GPU the reference stays as diffusers has it."""
    set_layout(vae, PROFILES[profile], torch.device(device))
    weight = vae.decoder.conv_in.weight
    assert weight.is_contiguous(memory_format=torch.channels_last) is changed


@torch.no_grad()
def test_the_layout_changes_roundings_alone(vae: AutoencoderKL) -> None:
    """Encoded and decoded, a picture is the same to a millionth; two are what each of them is alone, bit by bit."""
    pictures = torch.rand(2, 3, 48, 64, generator=torch.Generator().manual_seed(1))
    before = vae.decode(vae.encode(pictures).latent_dist.mode()).sample
    set_layout(vae, PROFILES["exact"], torch.device("cpu"))
    latents = vae.encode(pictures).latent_dist.mode()
    after = vae.decode(latents).sample
    assert torch.allclose(after, before, atol=1e-5)
    assert torch.equal(vae.decode(latents[1:]).sample, after[1:])
