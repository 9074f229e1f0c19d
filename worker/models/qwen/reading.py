"""What the encoder, Qwen2.5-VL, makes of an instruction and the pictures that it sees with it."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import torch
from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus import CONDITION_IMAGE_SIZE, calculate_dimensions
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

#: How it is shown a picture, before the instruction.
_SHOWN: Final = "Picture {}: <|vision_start|><|image_pad|><|vision_end|>"

#: What the transformers' processor makes for each token.
_PER_TOKEN: Final = ("input_ids", "attention_mask", "mm_token_type_ids")


class Text(NamedTuple):
    """Instructions of some rows as the transformer reads them, all of one length."""

    #: (rows, tokens, width).
    states: Tensor
    #: (rows, tokens): False where a row's is padded, which no token attends to.
    mask: Tensor


@torch.no_grad()
def read(pipeline: Any, prompt: str, pictures: Sequence[Image.Image], most: int) -> Text:
    """Return what the encoder of a QwenImageEditPlusPipeline makes of one row.

    Of the instruction, and the end of the chat behind it, `most` tokens are read; shorter ones are padded. So the
    length follows from the number and sizes of the pictures alone.
    """
    before, _, after = pipeline.prompt_template_encode.partition("{}")
    processor = pipeline.processor
    for mark in (processor.image_token, processor.video_token):  # in an instruction they stand for no picture
        prompt = prompt.replace(mark, mark.replace("|", ""))
    seen = "".join(_SHOWN.format(place) for place in range(1, len(pictures) + 1))
    inputs = processor(
        text=[before + seen + prompt + after],
        images=[_small(pipeline, picture) for picture in pictures] or None,
        return_tensors="pt",
    ).to(pipeline.device)
    said = len(processor.tokenizer(prompt + after).input_ids)
    # It looks back alone: what is cut off has no part in what stands before it.
    end = inputs["input_ids"].shape[1] - max(0, said - most)
    states = pipeline.text_encoder(
        # The last of them gives a picture's tokens their rows and columns. diffusers leaves it out, with which
        # transformers 5 has them in one line (diffusers' issue 14194).
        **{name: inputs[name][:, :end] for name in _PER_TOKEN},
        pixel_values=inputs.get("pixel_values"),
        image_grid_thw=inputs.get("image_grid_thw"),
        output_hidden_states=True,
        use_cache=False,
        logits_to_keep=1,
    ).hidden_states[-1]
    # What the chat begins with is left out, as diffusers does it: 64 tokens of the real one's.
    states = states[:, len(processor.tokenizer(before).input_ids) :]
    padding = max(0, most - said)
    mask = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
    return Text(pad(states, (0, 0, 0, padding)), pad(mask, (0, padding)))


def _small(pipeline: Any, picture: Image.Image) -> Image.Image:
    """Return a picture of the area at which the encoder sees it."""
    width, height = calculate_dimensions(CONDITION_IMAGE_SIZE, picture.width / picture.height)
    small: Image.Image = pipeline.image_processor.resize(picture, height, width)
    return small
