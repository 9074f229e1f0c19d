"""FLUX.1-Kontext built from its configuration, at the real size or tiny: diffusers' own classes, no download."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import diffusers
import torch
import transformers
from tokenizers import pre_tokenizers

from worker.models.pipelines.building import made_on


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What the configurations of the four networks say."""

    transformer: Mapping[str, Any]
    vae: Mapping[str, Any]
    clip: Mapping[str, Any]
    t5: Mapping[str, Any]


#: The configurations of black-forest-labs/FLUX.1-Kontext-dev: 11.9, 0.08, 0.12 and 4.76 billion parameters.
FULL: Final = Architecture(
    transformer={
        "num_layers": 19, "num_single_layers": 38, "attention_head_dim": 128, "num_attention_heads": 24,
        "axes_dims_rope": (16, 56, 56), "joint_attention_dim": 4096, "pooled_projection_dim": 768, "in_channels": 64,
    },
    vae={
        "block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "norm_num_groups": 32, "latent_channels": 16,
    },
    clip={
        "vocab_size": 49408, "hidden_size": 768, "projection_dim": 768, "intermediate_size": 3072,
        "num_hidden_layers": 12, "num_attention_heads": 12,
    },
    t5={"vocab_size": 32128, "d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64},
)  # fmt: skip

#: Of the tiny one's text encoders and transformer: a row of 256x256 px and 8 steps takes 0.3 s on two cores.
_WIDTH: Final = 64

#: The same classes as small as they come. Without merges CLIP's tokenizer has 514 tokens, ByT5's has 259.
TINY: Final = Architecture(
    transformer={
        "num_layers": 1, "num_single_layers": 2, "attention_head_dim": 32, "num_attention_heads": _WIDTH // 32,
        "axes_dims_rope": (8, 12, 12), "joint_attention_dim": _WIDTH, "pooled_projection_dim": _WIDTH,
        "in_channels": 64,
    },
    vae={"block_out_channels": (8, 16, 32, 32), "layers_per_block": 1, "norm_num_groups": 8, "latent_channels": 16},
    clip={
        "vocab_size": 514, "hidden_size": _WIDTH, "projection_dim": _WIDTH, "intermediate_size": 2 * _WIDTH,
        "num_hidden_layers": 2, "num_attention_heads": 4,
    },
    t5={"vocab_size": 259, "d_model": _WIDTH, "d_kv": 16, "d_ff": 2 * _WIDTH, "num_layers": 2, "num_heads": 4},
)  # fmt: skip


class Tokenizers(NamedTuple):
    """CLIP's and T5's; their ids of <pad>, start and end are those that the configurations say."""

    clip: Any
    t5: Any


def build(
    architecture: Architecture, *, device: torch.device, dtype: torch.dtype, tokenizers: Tokenizers | None = None
) -> Any:
    """Build the pipeline, its networks directly on the device in this type; the host never holds them.

    Their weights are whatever the classes draw. Without `tokenizers` it reads letters, byte by byte.
    """
    with made_on(device, dtype):
        # In this order: it is part of what a seed gives.
        networks: dict[str, Any] = {
            "vae": _vae(architecture),
            "text_encoder": _clip(architecture),
            "text_encoder_2": _t5(architecture),
            "transformer": _transformer(architecture),
        }
    clip, t5 = tokenizers or Tokenizers(
        clip_tokenizer(merges=[]), transformers.ByT5Tokenizer(extra_ids=0, model_max_length=512)
    )
    pipeline: Any = diffusers.FluxKontextPipeline(
        scheduler=_scheduler(),
        tokenizer=clip,
        tokenizer_2=t5,
        **{name: network.eval() for name, network in networks.items()},
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def clip_tokenizer(merges: Sequence[Any]) -> transformers.CLIPTokenizer:
    """Make CLIP's tokenizer: its byte-level alphabet spells any text, and `merges` make words of it.

    Without merges every byte costs one of its 77 tokens.
    """
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = (one + other for one, other in merges)
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters), *words]
    return transformers.CLIPTokenizer(
        vocab={token: i for i, token in enumerate(tokens)}, merges=[*merges], model_max_length=77
    )


def _clip(architecture: Architecture) -> transformers.CLIPTextModel:
    # The ids are those of the tokenizer above.
    config = transformers.CLIPTextConfig(**architecture.clip, bos_token_id=0, eos_token_id=1, pad_token_id=1)
    return transformers.CLIPTextModel(config)


def _t5(architecture: Architecture) -> transformers.T5EncoderModel:
    return transformers.T5EncoderModel(transformers.T5Config(**architecture.t5, feed_forward_proj="gated-gelu"))


def _vae(architecture: Architecture) -> diffusers.AutoencoderKL:
    # Eight-fold at every size, so that sides and token counts are the same.
    return diffusers.AutoencoderKL(
        **architecture.vae, down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        sample_size=1024, scaling_factor=0.3611, shift_factor=0.1159,
        use_quant_conv=False, use_post_quant_conv=False,
    )  # fmt: skip


def _transformer(architecture: Architecture) -> diffusers.FluxTransformer2DModel:
    return diffusers.FluxTransformer2DModel(**architecture.transformer, guidance_embeds=True)


def _scheduler() -> diffusers.FlowMatchEulerDiscreteScheduler:
    # The real checkpoint's, since a shift of the noise schedule shows in every picture.
    return diffusers.FlowMatchEulerDiscreteScheduler(
        shift=3.0, use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15,
        base_image_seq_len=256, max_image_seq_len=4096,
    )  # fmt: skip
