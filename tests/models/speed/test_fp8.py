"""Linear layers in fp8, against the same product in double precision."""

import pytest
import torch
from torch import nn

from tests.models.conftest import Load
from worker.models.speed.device import dtype_on
from worker.models.speed.fp8 import RowwiseFP8Linear, multiplies_fp8


def layer(device: torch.device) -> nn.Linear:
    """Make a layer."""
    if not multiplies_fp8(device):
        pytest.skip("needs a device that multiplies in fp8; of CPUs torch 2.13 is the first to do so")
    torch.manual_seed(3)
    return nn.Linear(64, 96).to(device, dtype_on(device))


@torch.no_grad()
def test_the_product_is_exact_to_fp8(device: torch.device) -> None:
    """With 3 bits of mantissa each factor is off by 2^-4 at most, and a sum of 64 products by less: within 5 %."""
    linear = layer(device)
    x = torch.randn(2, 50, 64, device=device, dtype=linear.weight.dtype)
    exact = x.double() @ linear.weight.double().t() + linear.bias.double()
    product = RowwiseFP8Linear(linear)(x)
    assert product.shape == (2, 50, 96)
    assert product.dtype == x.dtype
    error = (product.double() - exact).norm() / exact.norm()
    assert 0.001 < error < 0.05


@torch.no_grad()
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_a_row_is_rounded_by_its_own_scale(device: torch.device, size: float) -> None:
    """A token comes out bitwise the same beside tokens a thousand times larger or smaller; zeros stay zeros."""
    fp8 = RowwiseFP8Linear(layer(device))
    x = torch.randn(16, 64, device=device, dtype=dtype_on(device))
    others = x.clone()
    others[1:] *= size
    others[5] = 0
    assert torch.equal(fp8(others)[0], fp8(x)[0])
    assert torch.equal(fp8(others)[5], fp8.bias)


def test_only_the_layers_of_the_blocks_are_replaced(load: Load) -> None:
    """The modulation's layers and those outside of the blocks keep their weights, and no layer inside does."""
    linears = {
        name for name, module in load(fp8=True).pipeline.transformer.named_modules() if isinstance(module, nn.Linear)
    }
    in_blocks = {name for name in linears if "transformer_blocks." in name}
    assert in_blocks
    assert all(".norm" in name for name in in_blocks)
    assert {"x_embedder", "context_embedder", "proj_out", "norm_out.linear"} <= linears
