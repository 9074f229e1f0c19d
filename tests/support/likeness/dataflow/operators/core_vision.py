"""The operator that has a serving edit images."""

import os
from pathlib import Path
from typing import Any

import pandas as pd


class PromptedImageEditGenerator:
    """Hands over rows without an output, and writes the table, unless the serving raises."""

    def __init__(self, image_edit_serving: Any, save_interval: int = 50) -> None:
        self.image_edit_serving = image_edit_serving
        self.save_interval = save_interval  # without an effect

    def run(
        self,
        storage: Any,
        input_image_key: str = "images",
        input_conversation_key: str = "conversation",
        output_image_key: str = "edited_images",
    ) -> None:
        """Take what the file of the first step has for a row's place; ask the serving for the rest, all at once."""
        frame = pd.DataFrame(storage.read(output_type="dict"))
        folder = Path(storage.first_entry_file_name).resolve().parent
        if output_image_key not in frame:
            frame[output_image_key] = [[] for _ in range(len(frame))]
        file = f"{storage.cache_path}/{storage.file_name_prefix}_step1.{storage.cache_type}"
        before = storage._load_local_file(file, storage.cache_type) if Path(file).exists() else pd.DataFrame()  # noqa: SLF001
        if output_image_key in before:
            for place in range(min(len(frame), len(before))):
                if _is_done(before.at[place, output_image_key]):  # noqa: PD008
                    frame.at[place, output_image_key] = before.at[place, output_image_key]  # noqa: PD008
        asked = [
            _asked(place, row[input_image_key], row[input_conversation_key], folder)
            for place, row in frame.iterrows()
            if not _is_done(row[output_image_key])
        ]
        if not asked:
            return
        try:
            made = self.image_edit_serving.generate_from_input(asked)
        except Exception as error:  # as DataFlow does: the script goes on, and ends with 0
            print(f"Error during image generation: {error}")  # noqa: T201
            return
        for one in asked:
            frame.at[one["idx"], output_image_key] = made.get(f"sample_{one['idx']}", [])  # noqa: PD008
        storage.media_key = output_image_key
        storage.write(frame)


def _asked(place: Any, image: Any, turns: Any, folder: Path) -> dict[str, Any]:
    last = turns[-1] if isinstance(turns, list) and turns else ""
    asked = {"idx": place, "image_path": _placed(image, folder), "prompt": _text(last)}
    if isinstance(turns, list) and len(turns) > 1:
        asked["conversations"] = turns
    return asked


def _text(turn: Any) -> Any:
    return turn["content"] if isinstance(turn, dict) and "content" in turn else str(turn)


def _placed(image: Any, folder: Path) -> Any:
    if isinstance(image, list):
        return [_placed(one, folder) for one in image]
    return os.path.normpath(folder / image) if isinstance(image, str) else image


def _is_done(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and value[0] != ""
