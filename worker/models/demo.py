"""The demo checkpoint: a tiny FLUX.1-Kontext of diffusers' own classes with random weights."""

import hashlib
import math
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import diffusers
import torch
import transformers
from tokenizers import pre_tokenizers

from worker.errors import ModelError

SEED = 6
#: Of the text encoders and the transformer: a row of 256x256 px and 8 steps takes 0.3 s on two cores.
WIDTH = 64

#: Factors on the weights whose names match; other matrices keep their input's variance, other biases are 0.
#: They make a wrong photograph or instruction show. Measured at 8 steps and 256x256 px over 12 photographs, 12
#: pairs of instructions and 4 seeds: swapping one changes the picture by a mean of at least 15, 19 and 65 of
#: 255 (with every factor at 1: 2, 1 and 88); 20 % of the channels are clipped. SEED was the best of eight tried.
#: The encoder's residual branches are off: torch's GroupNorm is imprecise on the CPU in channels-last layout
#: (0.06 off on an even picture, 1e-6 in the other layout), and a red picture came out up to 171 of 255 different
#: with 2 threads than with 1. Now 20 pictures, in fours and alone, stayed within 0.02 before rounding. With the
#: branches off, the encoder's bias is what tells a picture from the same one with less contrast.
GAINS: Mapping[str, Mapping[str, float]] = {
    "vae": {
        r"encoder\.conv_in\.bias": 0.5,
        r"encoder\..*conv2\.weight": 0.0,
        r"decoder\.conv_out\.weight": 0.5,
    },
    "text_encoder": {},
    "text_encoder_2": {r"relative_attention_bias\.weight": 6.0},
    "transformer": {
        r"norm_(added_)?[qk]\.weight": 2.5,
        r"(to_v|add_v_proj)\.weight": 6.0,
        r"^proj_out\.weight": 3.0,
    },
}


def demo_checkpoint(cache_dir: Path) -> Path:
    """Return the demo checkpoint's folder, built in `cache_dir` if it is not there yet.

    The folder has diffusers' own layout, with safetensors only (3.3 MB). Any number of processes may call this
    at once: each builds beside the folder and renames, the first rename wins, and all return the same path.

    Raises:
        ModelError: `cache_dir` cannot be written.

    """
    folder = cache_dir / f"demo-kontext-{_recipe_digest()}"
    if _is_finished(folder):
        return folder
    try:
        cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _build(folder)
    except OSError as error:
        raise ModelError(
            f"The demo model cannot be kept in {cache_dir} ({error.strerror}); set FLEET_DEMO_CACHE_DIR."
        ) from None
    return folder


def _build(folder: Path) -> None:
    with TemporaryDirectory(dir=folder.parent, prefix=".building-") as building:
        built = Path(building) / folder.name
        _pipeline().save_pretrained(built, safe_serialization=True)
        try:
            built.rename(folder)
        except OSError:
            # A folder that is not empty cannot be renamed onto: somebody was first, and theirs is the same.
            if not _is_finished(folder):
                raise


def _is_finished(folder: Path) -> bool:
    return (folder / "model_index.json").is_file()


def _recipe_digest() -> str:
    """Name this recipe: this file, and the libraries whose next major version may draw or save it otherwise."""
    majors = [f"{name} {version(name).split('.')[0]}" for name in ("torch", "diffusers", "transformers")]
    return hashlib.sha256("\n".join(majors).encode() + Path(__file__).read_bytes()).hexdigest()[:12]


def _pipeline() -> Any:
    # The constructors draw weights of their own from the global generator, before ours replace them.
    with torch.random.fork_rng(devices=[]):
        tokenizer = _clip_tokenizer()
        modules: dict[str, Any] = {
            "vae": _vae(),
            "text_encoder": _clip(len(tokenizer)),
            "text_encoder_2": _t5(),
            "transformer": _transformer(),
        }
    generator = torch.Generator().manual_seed(SEED)
    for name, module in modules.items():
        _draw_weights(module, GAINS[name], generator)
    # With nothing of their own, T5's padded positions repeat the instruction; else a short one drowns in 500.
    modules["text_encoder_2"].get_input_embeddings().weight.data[0] = 0.0
    return diffusers.FluxKontextPipeline(
        scheduler=_scheduler(),
        tokenizer=tokenizer,
        tokenizer_2=transformers.ByT5Tokenizer(extra_ids=0, model_max_length=512),
        **modules,
    )


@torch.no_grad()
def _draw_weights(module: torch.nn.Module, gains: Mapping[str, float], generator: torch.Generator) -> None:
    for name, weight in module.named_parameters():
        gain = next((gain for pattern, gain in gains.items() if re.search(pattern, name)), None)
        if name.endswith("bias"):
            weight.normal_(0.0, gain or 0.0, generator=generator)
        elif weight.ndim == 1:
            weight.fill_(1.0 if gain is None else gain)
        else:
            std = (1.0 if gain is None else gain) / math.sqrt(weight[0].numel())
            weight.normal_(0.0, std, generator=generator)
        if weight.shape[2:]:
            # Even kernels draw blobs instead of grain, and blobs outlive a resize.
            weight.copy_(weight.mean((2, 3), keepdim=True).expand_as(weight) * weight.shape[-1])


def _clip_tokenizer() -> transformers.CLIPTokenizer:
    # CLIP's own byte-level alphabet without merges spells any text; every byte costs one of its 77 tokens.
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    return transformers.CLIPTokenizer(
        vocab={token: i for i, token in enumerate(tokens)}, merges=[], model_max_length=77
    )


def _clip(vocab_size: int) -> transformers.CLIPTextModel:
    config = transformers.CLIPTextConfig(
        vocab_size=vocab_size, hidden_size=WIDTH, projection_dim=WIDTH, intermediate_size=2 * WIDTH,
        num_hidden_layers=2, num_attention_heads=4, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    return transformers.CLIPTextModel(config)


def _t5() -> transformers.T5EncoderModel:
    config = transformers.T5Config(
        vocab_size=259, d_model=WIDTH, d_kv=16, d_ff=2 * WIDTH, num_layers=2, num_heads=4,
        feed_forward_proj="gated-gelu",
    )  # fmt: skip
    return transformers.T5EncoderModel(config)


def _vae() -> diffusers.AutoencoderKL:
    # Eight-fold with 16 channels as the real one, so that sides and token counts are the real ones.
    return diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 16, 32, 32), layers_per_block=1, norm_num_groups=8, latent_channels=16,
        sample_size=1024, scaling_factor=0.3611, shift_factor=0.1159,
        use_quant_conv=False, use_post_quant_conv=False,
    )  # fmt: skip


def _transformer() -> diffusers.FluxTransformer2DModel:
    return diffusers.FluxTransformer2DModel(
        in_channels=64, num_layers=1, num_single_layers=2, attention_head_dim=32,
        num_attention_heads=WIDTH // 32, axes_dims_rope=(8, 12, 12), joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH, guidance_embeds=True,
    )  # fmt: skip


def _scheduler() -> diffusers.FlowMatchEulerDiscreteScheduler:
    # The real checkpoint's, since a shift of the noise schedule shows in every picture.
    return diffusers.FlowMatchEulerDiscreteScheduler(
        shift=3.0, use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15,
        base_image_seq_len=256, max_image_seq_len=4096,
    )  # fmt: skip
