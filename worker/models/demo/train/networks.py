"""The demo model before its training: the architecture, and tokenizers whose words are those of its phrasings."""

import json
from collections import Counter
from typing import Any, Final

import torch
import transformers
from tokenizers import Tokenizer, models, trainers

from worker.models.demo.phrases import FRAMES, LEARNED, THINGS, UNKNOWN
from worker.models.kontext.architecture import Architecture, Tokenizers, build, clip_tokenizer

#: Of the transformer: five heads of 32.
_WIDTH: Final = 160
#: Of the text encoders.
_TEXT_WIDTH: Final = 64

#: Letters and marks that T5's words are spelled with where they are not known.
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?'\"-()&%/"


def untrained(device: torch.device, seed: int) -> Any:
    """Build the pipeline with random weights, in fp32."""
    tokenizers = Tokenizers(_clip(), _t5())
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        pipeline = build(_architecture(tokenizers), device=device, dtype=torch.float32, tokenizers=tokenizers)
    with torch.no_grad():
        for name, weight in pipeline.text_encoder_2.named_parameters():
            # Words in no order, and padding that is nothing: so every padded position comes out the same, and training
            # need not carry 500 of them (see worker.models.demo.train.text). Order is CLIP's part.
            if "relative_attention_bias" in name:
                weight.zero_().requires_grad_(requires_grad=False)
        pipeline.text_encoder_2.get_input_embeddings().weight[0] = 0.0
    return pipeline


def _architecture(tokenizers: Tokenizers) -> Architecture:
    return Architecture(
        transformer={
            "num_layers": 1, "num_single_layers": 3, "attention_head_dim": 32, "num_attention_heads": _WIDTH // 32,
            "axes_dims_rope": (4, 14, 14), "joint_attention_dim": _TEXT_WIDTH, "pooled_projection_dim": _TEXT_WIDTH,
            "in_channels": 96,
        },
        # Without attention in its middle, a part of a picture looks the same whatever is far away.
        vae={
            "block_out_channels": (24, 48, 64, 64), "layers_per_block": 1, "norm_num_groups": 8, "latent_channels": 24,
            "mid_block_add_attention": False,
        },
        clip={
            "vocab_size": len(tokenizers.clip), "hidden_size": _TEXT_WIDTH, "projection_dim": _TEXT_WIDTH,
            "intermediate_size": 2 * _TEXT_WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4,
        },
        t5={
            "vocab_size": len(tokenizers.t5), "d_model": _TEXT_WIDTH, "d_kv": 16, "d_ff": 2 * _TEXT_WIDTH,
            "num_layers": 1, "num_heads": 4,
            # Else padded positions, of which training carries one, would drop other numbers each.
            "dropout_rate": 0.0,
        },
    )  # fmt: skip


def _words() -> Counter[str]:
    """Count the words of phrasings, also with a capital; others are spelled letter by letter."""
    phrases = (*(phrase for some in LEARNED.values() for phrase in some), *UNKNOWN, *THINGS, *FRAMES)
    words = Counter(
        word.strip(".,!?") for phrase in phrases for word in phrase.replace("{Do}", "").replace("{do}", "").split()
    )
    del words[""]
    words.update({word.capitalize(): 1 for word in words if "{" not in word})
    return Counter({word: count for word, count in words.items() if "{" not in word})


def _clip() -> transformers.CLIPTokenizer:
    """Learn merges until each word is one token; others are spelled."""
    learned = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    trainer = trainers.BpeTrainer(vocab_size=10_000, min_frequency=1, end_of_word_suffix="</w>", show_progress=False)
    learned.train_from_iterator(sorted({word.lower() for word in _words()}), trainer)
    return clip_tokenizer(merges=[tuple(merge) for merge in json.loads(learned.to_str())["model"]["merges"]])


def _t5() -> Any:
    # Any word is more likely than the letters that spell it.
    words = [(f"▁{word}", -6.0) for word in sorted(_words())]
    letters = [(letter, -10.0) for letter in ("▁", *_ALPHABET)]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -20.0), *words, *letters]
    return transformers.T5Tokenizer(vocab=vocabulary, extra_ids=0, model_max_length=512)
