"""FLUX.2 [klein] built from its configuration, at the real sizes or tiny: diffusers' own classes, no download."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import diffusers
import torch
import transformers
from tokenizers import pre_tokenizers

from worker.models.pipelines.building import made_on


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What the configurations of the three networks say, beside their classes' own defaults."""

    transformer: Mapping[str, Any]
    vae: Mapping[str, Any]
    qwen: Mapping[str, Any]


def _full(*, blocks: tuple[int, int], heads: int, qwen: Mapping[str, Any]) -> Architecture:
    return Architecture(
        transformer={
            "num_layers": blocks[0], "num_single_layers": blocks[1], "attention_head_dim": 128,
            "num_attention_heads": heads, "joint_attention_dim": 3 * qwen["hidden_size"],
        },
        vae={},
        qwen={
            "num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
            "vocab_size": 151936, **qwen,
        },
    )  # fmt: skip


#: 3.9 billion parameters beside Qwen3-4B, and 9.1 beside Qwen3-8B. Written down from what is published of them (their
#: names, and Qwen3's own configurations), not read from the checkpoints.
FULL_4B: Final = _full(
    blocks=(5, 20),
    heads=24,
    qwen={"hidden_size": 2560, "intermediate_size": 9728, "tie_word_embeddings": True},
)
FULL_9B: Final = _full(
    blocks=(8, 24),
    heads=32,
    qwen={"hidden_size": 4096, "intermediate_size": 12288, "tie_word_embeddings": False},
)

#: Of the tiny one's text encoder and transformer.
_WIDTH: Final = 64

#: The same classes as small as they come. Without merges its tokenizer has 256 letters and a few marks.
TINY: Final = Architecture(
    transformer={
        "num_layers": 1, "num_single_layers": 2, "attention_head_dim": 32, "num_attention_heads": _WIDTH // 32,
        "axes_dims_rope": (8, 8, 8, 8), "joint_attention_dim": 3 * _WIDTH,
    },
    vae={"block_out_channels": (8, 16, 32, 32), "layers_per_block": 1, "norm_num_groups": 8},
    qwen={
        "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
        "vocab_size": 272, "hidden_size": _WIDTH, "intermediate_size": 2 * _WIDTH, "tie_word_embeddings": True,
    },
)  # fmt: skip

#: Marks of Qwen3's chat; the letters of its byte-level alphabet come after them.
_MARKS: Final = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")

#: Qwen3's, as far as the pipeline uses it: one message of a user, without thinking.
_CHAT: Final = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


def build(
    architecture: Architecture,
    *,
    distilled: bool,
    device: torch.device,
    dtype: torch.dtype,
    kind: type = diffusers.Flux2KleinPipeline,
) -> Any:
    """Build the pipeline, its networks directly on the device in this type; the host never holds them.

    Their weights are whatever the classes draw. It reads letters, byte by byte.
    """
    with made_on(device, dtype):
        networks = {
            "vae": diffusers.AutoencoderKLFlux2(**architecture.vae),
            "text_encoder": _qwen(architecture),
            "transformer": diffusers.Flux2Transformer2DModel(**architecture.transformer, guidance_embeds=False),
        }
    pipeline: Any = kind(
        scheduler=_scheduler(),
        tokenizer=_tokenizer(),
        is_distilled=distilled,
        **{name: network.eval() for name, network in networks.items()},
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _qwen(architecture: Architecture) -> Any:
    # The ids are those of the tokenizer below, in the tiny one.
    config = transformers.Qwen3Config(**architecture.qwen, bos_token_id=0, eos_token_id=2, pad_token_id=0)
    return transformers.Qwen3ForCausalLM(config)


def _tokenizer() -> Any:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer: Any = transformers.Qwen2Tokenizer(
        vocab={token: i for i, token in enumerate([*_MARKS, *letters])},
        merges=[],
        unk_token=_MARKS[0],
        eos_token=_MARKS[2],
        pad_token=_MARKS[0],
        extra_special_tokens=list(_MARKS),
        model_max_length=4096,
    )
    tokenizer.chat_template = _CHAT
    return tokenizer


def _scheduler() -> diffusers.FlowMatchEulerDiscreteScheduler:
    # As for FLUX.1; the pipeline computes its shift from the picture's size and the steps by itself.
    return diffusers.FlowMatchEulerDiscreteScheduler(
        shift=3.0, use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15,
        base_image_seq_len=256, max_image_seq_len=4096,
    )  # fmt: skip
