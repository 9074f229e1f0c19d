"""Which kernel computes the transformer's attention, a third of its arithmetic."""

import logging
from typing import Any, Final

import torch
from diffusers.models.attention_dispatch import AttentionBackendName, dispatch_attention_fn

from worker.contract.errors import ModelError, one_line
from worker.models.speed.capabilities import Machine

logger = logging.getLogger(__name__)

# It warns of each choice of a backend that the interface may change; the version of diffusers is pinned for that.
logging.getLogger("diffusers.models.modeling_utils").setLevel(logging.ERROR)

#: diffusers' names, the fastest first, with the compute capability from which on each is worth it: FlashAttention 3
#: is written for Hopper, and cuDNN's kernel there is the faster of torch's own. All of them round as bf16 does.
_BEST: Final = (("_flash_3", (9, 0)), ("_native_cudnn", (9, 0)), ("native", (0, 0)))


def set_attention(transformer: Any, wanted: str, machine: Machine, *, masked: bool = False) -> str:
    """Have the transformer use a backend ("auto": the best one that works here); return its name.

    `masked`: it must leave out tokens, which FlashAttention cannot.

    Raises:
        ModelError: it cannot be used here.

    """
    if wanted != "auto":
        if (reason := _refused(transformer, wanted, masked=masked)) is not None:
            raise ModelError(f"FLEET_ATTENTION={wanted} cannot be used here ({reason}); unset it to have the best one.")
        return wanted
    for name, capability in _BEST:
        if capability > (machine.capability or (0, 0)):
            continue
        if (reason := _refused(transformer, name, masked=masked)) is None:
            return name
        logger.info("attention: not %s (%s)", name, reason)
    raise ModelError("No attention backend works on this GPU; its driver, or this build of PyTorch, is broken.")


def _refused(transformer: Any, name: str, *, masked: bool) -> str | None:
    """Try a backend on a short sequence; say why it does not work, if so."""
    if name not in {backend.value for backend in AttentionBackendName}:
        return "diffusers knows no such backend"
    heads, width = transformer.config.num_attention_heads, transformer.config.attention_head_dim
    try:
        transformer.set_attention_backend(name)
        sample = torch.randn(1, 256, heads, width, device=transformer.device, dtype=transformer.dtype)
        mask = (torch.arange(256, device=transformer.device) > 0)[None, None, None] if masked else None
        dispatch_attention_fn(sample, sample, sample, attn_mask=mask, backend=AttentionBackendName(name))
    except torch.OutOfMemoryError:
        raise  # no fault of the backend
    except Exception as error:  # whatever a package or its kernel comes to
        return one_line((str(error).strip() or type(error).__name__).splitlines()[0].rstrip("."))
    return None
