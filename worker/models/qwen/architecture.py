"""Qwen-Image-Edit built from its configuration, at the real size or tiny: the libraries' own classes, no download."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import diffusers
import torch
import transformers
from tokenizers import pre_tokenizers

from worker.models.pipelines.building import made_on
from worker.models.qwen.processor import Qwen2VLProcessor


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What the configurations of the four networks say, beside their classes' own defaults."""

    transformer: Mapping[str, Any]
    vae: Mapping[str, Any]
    language: Mapping[str, Any]
    vision: Mapping[str, Any]


#: 20.4 billion parameters beside Qwen2.5-VL-7B, whose configuration this is. Written down from what is published of
#: 2511, not read from the checkpoint. Its transformer takes references for finished pictures, at time 0; that of 2509
#: does not, and is the same otherwise.
FULL: Final = Architecture(
    transformer={"zero_cond_t": True},
    vae={},
    language={
        "vocab_size": 152064, "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
        "num_attention_heads": 28, "num_key_value_heads": 4, "rms_norm_eps": 1e-6,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
    },
    vision={"hidden_size": 1280, "out_hidden_size": 3584},
)  # fmt: skip

#: Of the tiny one's language model and transformer.
_WIDTH: Final = 64

#: The same classes as small as they come. Without merges its tokenizer has 256 letters and a few marks.
TINY: Final = Architecture(
    transformer={
        "num_layers": 2, "attention_head_dim": 32, "num_attention_heads": _WIDTH // 32, "joint_attention_dim": _WIDTH,
        "axes_dims_rope": (8, 12, 12), "zero_cond_t": True,
    },
    vae={"base_dim": 8, "num_res_blocks": 1},
    language={
        "vocab_size": 272, "hidden_size": _WIDTH, "intermediate_size": 2 * _WIDTH, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-6,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]},
    },
    vision={
        "depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": _WIDTH,
        "fullatt_block_indexes": [1],
    },
)  # fmt: skip

#: Marks of Qwen2.5-VL's chat; the letters of its byte-level alphabet come after them.
_MARKS: Final = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>",
    "<|video_pad|>",
)  # fmt: skip


def build(architecture: Architecture, *, device: torch.device, dtype: torch.dtype) -> Any:
    """Build the pipeline, its networks directly on the device in this type; the host never holds them.

    Their weights are whatever the classes draw. It reads letters, byte by byte.
    """
    tokenizer = _tokenizer()
    with made_on(device, dtype):
        networks = {
            "vae": diffusers.AutoencoderKLQwenImage(**architecture.vae),
            "text_encoder": _qwen(architecture, tokenizer),
            "transformer": diffusers.QwenImageTransformer2DModel(**architecture.transformer),
        }
    pipeline: Any = diffusers.QwenImageEditPlusPipeline(
        scheduler=_scheduler(),
        tokenizer=tokenizer,
        processor=Qwen2VLProcessor(transformers.Qwen2VLImageProcessorPil(), _tokenizer()),
        **{name: network.eval() for name, network in networks.items()},
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _qwen(architecture: Architecture, tokenizer: Any) -> Any:
    names = ("image_pad", "video_pad", "vision_start", "vision_end")
    ids = tokenizer.convert_tokens_to_ids([f"<|{name}|>" for name in names])
    config = transformers.Qwen2_5_VLConfig(
        text_config={**architecture.language, "bos_token_id": 0, "eos_token_id": 2},
        vision_config={**architecture.vision},
        image_token_id=ids[0],
        video_token_id=ids[1],
        vision_start_token_id=ids[2],
        vision_end_token_id=ids[3],
    )
    return transformers.Qwen2_5_VLForConditionalGeneration(config)


def _tokenizer() -> Any:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    return transformers.Qwen2Tokenizer(
        vocab={token: i for i, token in enumerate([*_MARKS, *letters])},
        merges=[],
        unk_token=_MARKS[0],
        eos_token=_MARKS[2],
        pad_token=_MARKS[0],
        extra_special_tokens=list(_MARKS),
        model_max_length=4096,
    )


def _scheduler() -> diffusers.FlowMatchEulerDiscreteScheduler:
    # The real checkpoint's, since a shift of the noise schedule shows in every picture.
    return diffusers.FlowMatchEulerDiscreteScheduler(
        shift=1.0, shift_terminal=0.02, use_dynamic_shifting=True, base_shift=0.5, max_shift=0.9,
        base_image_seq_len=256, max_image_seq_len=8192,
    )  # fmt: skip
