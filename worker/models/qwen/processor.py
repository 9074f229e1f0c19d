"""What prepares text and pictures for Qwen2.5-VL: transformers' own, without videos."""

from pathlib import Path
from typing import Any, Final

import transformers

#: The folder of a checkpoint that it lies in.
FOLDER: Final = "processor"


class Qwen2VLProcessor(transformers.Qwen2VLProcessor):
    """The same, without the part for videos: that one needs torchvision, and no video ever comes.

    Pictures are resized by Pillow wherever it runs. With torchvision transformers would take another class, whose
    pixels differ: what a row becomes must not depend on what else is installed.
    """

    # A checkpoint that is saved names transformers' class, as those of the hub do.
    __module__ = transformers.Qwen2VLProcessor.__module__

    def __init__(self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None) -> None:
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template)  # type: ignore[no-untyped-call]


def load_processor(folder: Path) -> Qwen2VLProcessor:
    """Load it from a checkpoint's folder."""
    return Qwen2VLProcessor(
        transformers.Qwen2VLImageProcessorPil.from_pretrained(folder / FOLDER, local_files_only=True),
        transformers.Qwen2Tokenizer.from_pretrained(folder / FOLDER, local_files_only=True),
    )
