"""Columns of data sets that people use, by their published names."""

from collections.abc import Mapping
from typing import Final, Literal

PresetName = Literal["dataflow", "llava", "instructpix2pix", "magicbrush", "hqedit", "omniedit"]

#: Settings of each. HQ-Edit has a column `output_image` of its own, the target, which would make every row a kept one.
PRESETS: Final[Mapping[str, Mapping[str, str]]] = {
    "dataflow": {"input_image_key": "images", "input_conversation_key": "conversations"},
    "llava": {"input_image_key": "image", "input_conversation_key": "conversations"},
    "instructpix2pix": {"input_image_key": "original_image", "input_conversation_key": "edit_prompt"},
    "magicbrush": {"input_image_key": "source_img", "input_conversation_key": "instruction"},
    "hqedit": {
        "input_image_key": "input_image", "input_conversation_key": "edit", "output_image_key": "edited_image",
    },
    "omniedit": {"input_image_key": "src_img", "input_conversation_key": "edited_prompt_list"},
}  # fmt: skip
