"""Linear layers that multiply in fp8, with a scale for every row of both matrices."""

from typing import Any, Final

import torch
from torch import Tensor, nn

from worker.models.speed.device import dtype_on

#: Four bits of exponent and three of mantissa: the more exact of the two that GPUs multiply.
_FP8: Final = torch.float8_e4m3fn
_LARGEST: Final = torch.finfo(_FP8).max

#: A row of zeros has no scale of its own.
_SMALLEST: Final = 1e-12

#: The repeated blocks hold 99.9 % of the arithmetic of the linear layers.
_BLOCKS: Final = ("transformer_blocks.", "single_transformer_blocks.")

#: In them, what makes the modulation from the time step: FLUX's within its norms, Qwen's apart.
_MODULATION: Final = (".norm", ".img_mod.", ".txt_mod.")


class RowwiseFP8Linear(nn.Module):
    """A linear layer whose weight is kept in fp8, and whose input becomes fp8 row by row as it comes.

    A row of the input is a token, and its scale follows from it alone: no token, and so no picture of a batch, has any
    part in the rounding of another. One scale for all of the input would let them.
    """

    weight: Tensor
    scale: Tensor

    def __init__(self, linear: nn.Linear) -> None:
        """`linear`: the layer to replace; its weight is (out, in), both multiples of 16."""
        super().__init__()
        weight, scale = _rounded(linear.weight.detach())
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        """Return (…, out) of (…, in), in the type of the input."""
        rows, scale = _rounded(x.reshape(-1, x.shape[-1]))
        # Its public form, scaled_mm, cannot be traced by the compiler of torch 2.11.
        product = torch._scaled_mm(  # noqa: SLF001 - for this reason
            rows, self.weight.t(), scale_a=scale, scale_b=self.scale.t(), out_dtype=x.dtype, use_fast_accum=True
        )
        # Apart, since not every kernel takes a bias; compiled, the sum becomes part of what follows.
        return (product if self.bias is None else product + self.bias).reshape(*x.shape[:-1], -1)


def multiplies_fp8(device: torch.device) -> bool:
    """Try it: whether a device can depends on its kind, its driver and this build of PyTorch."""
    dtype = dtype_on(device)
    try:
        with torch.no_grad():
            RowwiseFP8Linear(nn.Linear(16, 16, device=device, dtype=dtype))(
                torch.ones(16, 16, device=device, dtype=dtype)
            )
    except Exception:  # whatever a driver comes to
        return False
    return True


def to_fp8(transformer: nn.Module) -> None:
    """Replace the linear layers of the repeated blocks, one by one, so that no second copy of all is ever there.

    Those that make the modulation from the time step stay as they are: they have a row per image, not per token, which
    is no work to save, and all that follows depends on them.
    """
    linears = [
        name
        for name, module in transformer.named_modules()
        if isinstance(module, nn.Linear) and name.startswith(_BLOCKS) and not any(part in name for part in _MODULATION)
    ]
    for name in linears:  # not the layers themselves: a list of them would keep every one
        linear: Any = transformer.get_submodule(name)
        transformer.set_submodule(name, RowwiseFP8Linear(linear))
        del linear


def _rounded(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return (rows, columns) in fp8, and the scale of each row (rows, 1) in fp32."""
    scale = rows.abs().amax(dim=-1, keepdim=True).float().clamp(min=_SMALLEST) / _LARGEST
    return (rows.float() / scale).clamp(-_LARGEST, _LARGEST).to(_FP8), scale
