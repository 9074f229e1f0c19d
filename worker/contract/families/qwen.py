"""Qwen-Image-Edit, of the checkpoints that take several pictures (2509 and 2511)."""

from dataclasses import replace
from typing import Final

from worker.contract.buckets import DEMO_BUCKETS, QWEN_BUCKETS
from worker.contract.model_spec import Checkpoint, ModelSpec
from worker.contract.work import Network

#: Tokens of an instruction and the chat's end behind it. diffusers' pipeline has no bound; here every instruction is
#: padded to this length, so that no row's depends on its neighbours'.
TOKENS: Final = 512

_APACHE: Final = "Apache-2.0"

#: Of attention four squares, pictures and instruction each their own, and eight of the layers behind it. The encoder
#: makes 203 tokens of each picture.
_NETWORK: Final = Network(width=3072, blocks=60, squares=12, seen=203)

#: Steps and guidance are those of the model cards. A token is 2 × 2 latent pixels of 8 × 8, as Kontext's.
_QWEN: Final = ModelSpec(
    name="Qwen-Image-Edit",
    family="qwen",
    pipeline="QwenImageEditPlusPipeline",
    source="hub",
    checkpoints=(
        Checkpoint(hub_id="Qwen/Qwen-Image-Edit-2511", licence=_APACHE, gigabytes=57.7, pflop=14.37, network=_NETWORK),
        Checkpoint(hub_id="Qwen/Qwen-Image-Edit-2509", licence=_APACHE, gigabytes=57.7, pflop=14.37, network=_NETWORK),
    ),
    buckets=QWEN_BUCKETS,
    multiple=16,
    steps=40,
    guidance=4.0,
    guided="true CFG",
    # As its vendor has it; by the pipeline there is no bound.
    references=3,
    tokens=TOKENS,
    # The encoder's own; the folder "tokenizer" holds the same words without tokenizer.json.
    tokenizer="processor",
    # What stands before the instruction, pictures and all, has room of its own.
    template="{}<|im_end|>\n<|im_start|>assistant\n",
    needs_cuda=True,
    profile="exact",
    fuses=False,
)

_TINY: Final = replace(
    _QWEN, name="tiny-qwen", source="random", checkpoints=(), buckets=DEMO_BUCKETS, steps=8, needs_cuda=False,
    profile="reference", hidden=True,
)  # fmt: skip

ENTRIES: Final = (_QWEN, _TINY)
