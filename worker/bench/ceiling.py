"""What this very device reaches in large matrix products: the ceiling that all else is measured against."""

import statistics
import time
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from worker.bench.arithmetic import Rates
from worker.models.speed.device import dtype_on

#: Rows and columns. On an H100 or H200 larger ones are no faster; a CPU must be done within a second.
_GPU_SIDE: Final = 8192
_CPU_SIDE: Final = 1024

#: Groups, of which the median counts, and products in each. On a GPU they take half a second: long enough that its
#: clock comes down to what it holds under load.
_GROUPS: Final = 9
_GPU_PRODUCTS: Final = 40
_CPU_PRODUCTS: Final = 1


def measure_rates(device: torch.device) -> Rates:
    """Multiply random matrices, in the type that the model runs in and in fp8."""
    on_gpu = device.type == "cuda"
    side = _GPU_SIDE if on_gpu else _CPU_SIDE
    # Random, since zeros multiply faster: they switch fewer transistors, and the clock stays higher.
    one, other = (torch.randn(side, side, device=device, dtype=dtype_on(device)) for _ in range(2))
    plain = _rate(lambda: one @ other, side, device)
    try:
        fp8 = _rate(_in_fp8(one, other), side, device)
    except Exception:  # whatever a device or a build without it comes to
        fp8 = None
    return Rates(plain=plain, fp8=fp8)


def _in_fp8(one: Tensor, other: Tensor) -> Callable[[], Tensor]:
    """Return a product with a scale per row, as the profile's own; what makes numbers fp8 is no part of it."""
    rows, columns = one.to(torch.float8_e4m3fn), other.to(torch.float8_e4m3fn).t()
    scales = torch.ones(len(one), 1, device=one.device, dtype=torch.float32)
    return lambda: torch._scaled_mm(  # noqa: SLF001 - see worker.models.speed.fp8
        rows, columns, scale_a=scales, scale_b=scales.t(), out_dtype=one.dtype, use_fast_accum=True
    )


def _rate(product: Callable[[], Tensor], side: int, device: torch.device) -> float:
    """Return operations per second, the median of groups, after one that warms up."""
    products = _GPU_PRODUCTS if device.type == "cuda" else _CPU_PRODUCTS
    seconds = [_seconds(product, products, device) for _ in range(1 + _GROUPS)][1:]
    return 2.0 * side**3 * products / statistics.median(seconds)


def _seconds(product: Callable[[], Tensor], times: int, device: torch.device) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        product()
    if device.type == "cuda":
        torch.cuda.synchronize(device)  # which takes 0.1 % of a group's time
    return time.perf_counter() - begun
