"""What prepares text and pictures is loaded without torchvision, from whichever files a checkpoint has of it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from worker.contract.errors import ModelError
from worker.models.qwen.editor import Qwen
from worker.models.qwen.processor import FOLDER, load_processor
from worker.models.weights.loading import load_pipeline

RED = Image.new("RGB", (384, 384), "red")


def test_a_checkpoint_names_transformers_class(folder: Path) -> None:
    """As one of the hub does, so that whoever else loads it needs nothing of ours."""
    index = json.loads((folder / "model_index.json").read_text())
    assert index[FOLDER] == ["transformers", "Qwen2VLProcessor"]


def test_the_files_of_the_hub_are_read(folder: Path, tmp_path: Path) -> None:
    """There the part for pictures has a file of its own, one of the part for videos beside it, and older names."""
    copy = Path(shutil.copytree(folder / FOLDER, tmp_path / FOLDER))
    (copy / "processor_config.json").unlink()
    of_pictures = {
        "image_processor_type": "Qwen2VLImageProcessor", "min_pixels": 3136, "max_pixels": 12845056, "patch_size": 14,
        "merge_size": 2, "temporal_patch_size": 2, "do_resize": True, "processor_class": "Qwen2_5_VLProcessor",
    }  # fmt: skip
    (copy / "preprocessor_config.json").write_text(json.dumps(of_pictures))
    (copy / "video_preprocessor_config.json").write_text(json.dumps({"video_processor_type": "Qwen2VLVideoProcessor"}))
    text = ["<|image_pad|>Make it red."]
    ours, theirs = (load_processor(path)(text=text, images=[RED], return_tensors="np") for path in (folder, tmp_path))
    for name in ("input_ids", "pixel_values", "image_grid_thw"):
        assert np.array_equal(ours[name], theirs[name])


def test_a_checkpoint_without_it_is_refused_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    """As one whose weights are damaged."""
    copy = Path(shutil.copytree(folder, tmp_path / "model"))
    (copy / FOLDER / "processor_config.json").unlink()
    with pytest.raises(ModelError, match=r"^The weights in .* cannot be loaded \(.*\); download them again\.$"):
        load_pipeline(copy, torch.device("cpu"), Qwen.parts)
