"""Query, key and value as one matrix product, which fills a GPU better than three."""

from typing import Any, Final

from diffusers.models.attention import AttentionModuleMixin

#: What is left over once they are fused: as many bytes again.
_LEFT: Final = ("to_q", "to_k", "to_v", "add_q_proj", "add_k_proj", "add_v_proj")


def fuse_projections(transformer: Any) -> int:
    """Fuse the projections of every attention layer, one by one, and let go of the separate weights; count them."""
    fused = 0
    for module in transformer.modules():
        # Some have one product from the start, as FLUX.2's single blocks do.
        if isinstance(module, AttentionModuleMixin) and module._supports_qkv_fusion:  # noqa: SLF001 - no other word for it
            module.fuse_projections()
            fused += 1
            for name in _LEFT:
                if hasattr(module, name):
                    delattr(module, name)
    return fused
