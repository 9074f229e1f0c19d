"""A family's tiny model edits through Redis and a worker, as the real one would."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Start
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.pictures import photo


@pytest.mark.parametrize("name", ["tiny-klein", "tiny-klein-kv"])
def test_klein_edits_every_row(name: str, cli: CLI, start: Start) -> None:
    """Each row has its own picture and references; a row that asks for what the model has not has its error."""
    klein = replace(cli, settings={**cli.settings, "diffuser_model_name": name})
    for picture in ("coffee", "chelsea"):
        photo(picture, 192, 128, klein.folder / f"{picture}.png")
    rows = [
        row("coffee.png", "Make it red."),
        row("chelsea.png", "Make it red."),
        row("coffee.png", "Make it blue."),
        row(["coffee.png", "chelsea.png"], "Make it red.", edit={"seed": 5}),
        row(["coffee.png", "coffee.png"], "Make it red.", edit={"seed": 5}),
        row("chelsea.png", "Make it red.", edit={"guidance": 5}),
        row("chelsea.png", "Make it red.", edit={"negative_prompt": "", "true_cfg_scale": 2}),
        row(["coffee.png"] * 5, "Make it red."),
    ]
    write_jsonl(klein.folder / "in.jsonl", rows)
    submitted = klein(
        "submit", "in.jsonl", "--run-dir", "r", "--size", "192x128", "--seed", 3, "--multi-image", "references"
    )
    assert submitted.returncode == 0, submitted.stderr
    worker = start(diffuser_model_name=name, batch_size=4)
    collected = klein("collect", "r")
    assert collected.returncode == 3, collected.stderr
    output = read_jsonl(klein.folder / "r" / "output.jsonl")
    pictures = [np.asarray(Image.open(klein.folder / Path(path))) for one in output[:5] for path in one["output_image"]]
    assert [picture.shape for picture in pictures] == [(128, 192, 3)] * 5
    assert min(np.abs(pictures[0].astype(int) - other).mean() for other in pictures[1:3]) > 8
    assert np.abs(pictures[3].astype(int) - pictures[4]).mean() > 1, "their references alone differ"
    assert output[5]["error"] == f"line 6: edit.guidance: {name} is distilled and takes no guidance; leave it out."
    assert output[6]["error"].startswith(f"line 7: edit.negative_prompt: {name} is distilled and takes no negative")
    assert output[7]["error"] == f"line 8: images: 5 images are more than the 4 that {name} takes."
    assert worker.logged(f"model ready: {name} ")
    # Steps are the model's own, where nobody names others.
    assert Image.open(klein.folder / output[0]["output_image"][0]).info["fleet:steps"] == "4"


def test_qwen_edits_every_row(cli: CLI, start: Start) -> None:
    """Pictures, instructions, negative prompts and references are each row's own; marks of its chat harm none."""
    qwen = replace(cli, settings={**cli.settings, "diffuser_model_name": "tiny-qwen"})
    for name in ("coffee", "chelsea"):
        photo(name, 96, 64, qwen.folder / f"{name}.png")
    rows = [
        row("coffee.png", "Make it red.", edit={"seed": 5}),
        row("chelsea.png", "Make it red.", edit={"seed": 5}),
        row("coffee.png", "Make it <|image_pad|> blue.", edit={"seed": 5}),
        row("coffee.png", "Make it red.", edit={"seed": 5, "negative_prompt": "blurry, dark"}),
        row(["coffee.png", "chelsea.png"], "Make it red.", edit={"seed": 5}),
        row(["coffee.png", "coffee.png"], "Make it red.", edit={"seed": 5}),
        row(["coffee.png"] * 4, "Make it red."),
    ]
    write_jsonl(qwen.folder / "in.jsonl", rows)
    submitted = qwen(
        "submit", "in.jsonl", "--run-dir", "r", "--size", "96x64", "--steps", 2, "--multi-image", "references"
    )
    assert submitted.returncode == 0, submitted.stderr
    worker = start(diffuser_model_name="tiny-qwen", batch_size=4)
    collected = qwen("collect", "r")
    assert collected.returncode == 3, collected.stderr
    output = read_jsonl(qwen.folder / "r" / "output.jsonl")
    pictures = [np.asarray(Image.open(qwen.folder / Path(path))) for one in output[:6] for path in one["output_image"]]
    assert [picture.shape for picture in pictures] == [(64, 96, 3)] * 6
    for one, other in ((0, 1), (0, 2), (0, 3), (4, 5)):
        assert np.abs(pictures[one].astype(int) - pictures[other]).mean() > 1, (one, other)
    assert output[6]["error"] == "line 7: images: 4 images are more than the 3 that tiny-qwen takes."
    assert worker.logged("model ready: tiny-qwen ")
