"""LoRAs of a run and of its rows, through Redis and a worker: each row has its own, and what cannot be is its error."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import Start
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.loras import lora, save
from tests.support.pictures import photo
from worker.models.klein.random_weights import tiny_pipeline as tiny_klein
from worker.models.kontext.random_weights import tiny_pipeline as tiny_kontext

FILE = "pytorch_lora_weights.safetensors"
ROWS = [
    row("a.png", "Make it red."),
    row("a.png", "Make it red.", edit={"lora": "./b:0.5"}),
    row("a.png", "Make it red.", edit={"lora": []}),
    row("a.png", "Make it red.", edit={"lora": ["./b:0.5"]}),
    row("a.png", "Make it red.", edit={"lora": "./absent.safetensors"}),
    row("a.png", "Make it red.", edit={"lora": "./klein"}),
    row("a.png", "Make it red.", edit={"lora": "./pickled.safetensors"}),
    row("a.png", "Make it red.", edit={"lora": "./pickled.bin"}),
]


@pytest.fixture
def tiny(cli: CLI) -> CLI:
    """Call `producer` for the tiny Kontext, in a folder with a picture and LoRAs."""
    photo("coffee", 96, 64, cli.folder / "a.png")
    kontext, klein = tiny_kontext(distilled=None), tiny_klein(distilled=True)
    for seed, name in enumerate("ab"):
        save(kontext, lora(kontext.transformer, seed), cli.folder / name)
    save(klein, lora(klein.transformer, 3), cli.folder / "klein")
    torch.save({}, cli.folder / "pickled.safetensors")
    return replace(cli, settings={**cli.settings, "diffuser_model_name": "tiny-kontext"})


def test_each_row_has_its_own(tiny: CLI, start: Start) -> None:
    """And is edited again for another weight, where it is one of the run's."""
    write_jsonl(tiny.folder / "in.jsonl", ROWS)
    options = ("in.jsonl", "--run-dir", "r", "--size", "96x64", "--steps", 2, "--details")
    assert tiny("submit", *options, "--lora", "./a").returncode == 0
    worker = start(diffuser_model_name="tiny-kontext", batch_size=4)
    assert tiny("collect", "r").returncode == 3
    output = read_jsonl(tiny.folder / "r/output.jsonl")
    mine, other, none, again = (shown(tiny, one) for one in output[:4])
    assert np.abs(mine - none).mean() > 8
    assert np.abs(other - none).mean() > 8
    assert np.abs(other - mine).mean() > 8
    assert np.abs(other - again).mean() > 1, "their seeds alone differ"
    assert said(tiny, output[0]) == f"{tiny.folder}/a:1"
    assert said(tiny, output[1]) == f"{tiny.folder}/b:0.5"
    assert said(tiny, output[2]) is None
    assert [list(one["details"].get("lora", {})) for one in output[:3]] == [
        [f"{tiny.folder}/a:1"],
        [f"{tiny.folder}/b:0.5"],
        [],
    ]
    batches = [one["details"]["batch"]["id"] for one in output[:4]]
    assert len({*batches[:3]}) == 3
    for number, sentence in (
        (4, f"line 5: lora {tiny.folder}/absent.safetensors: no such file."),
        (5, f"line 6: lora {tiny.folder}/klein: is for another model; this one has no layer single_transformer_block"),
        (6, f"line 7: lora {tiny.folder}/pickled.safetensors: holds pickled weights, which run code when they are"),
        (7, "line 8: edit.lora: ./pickled.bin has pickled weights, which run code when they are read; name a .safete"),
    ):
        assert output[number]["error"].startswith(sentence)
    changed = tiny("submit", *options, "--lora", "./a:0.5")
    assert changed.returncode == 2
    assert f"--lora was {tiny.folder}/a:1, is {tiny.folder}/a:0.5" in changed.stderr
    assert tiny("submit", *options, "--lora", "./a:0.5", "--redo").returncode == 0
    assert tiny("collect", "r").returncode == 3
    half, *rest = (shown(tiny, one) for one in read_jsonl(tiny.folder / "r/output.jsonl")[:4])
    assert np.abs(half - mine).mean() > 2
    assert np.array_equal(rest, [other, none, again])
    assert worker.log.read_text().count(" loaded, ") == 2


def shown(cli: CLI, output: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Return the pixels of a row's picture."""
    return np.asarray(Image.open(cli.folder / Path(output["output_image"][0]))).astype(int)


def said(cli: CLI, output: dict[str, Any]) -> str | None:
    """Return what a row's picture says of LoRAs."""
    found: str | None = Image.open(cli.folder / Path(output["output_image"][0])).info.get("fleet:lora")
    return found


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("./none", "--lora / FLEET_LORA: there is no {folder}/none; producer and workers must see it at this path."),
        ("style", "--lora / FLEET_LORA: style is neither a path, which begins with / or ./, nor a hub id (owner/name"),
    ],
)
def test_a_slip_is_said_before_anything_is_sent(cli: CLI, given: str, sentence: str) -> None:
    """One sentence, and exit code 2."""
    write_jsonl(cli.folder / "in.jsonl", ROWS[:1])
    for command in ("submit", "check"):
        refused = cli(command, "in.jsonl", "--lora", given)
        assert refused.returncode == 2
        assert refused.stderr.startswith(f"Error: {sentence.format(folder=cli.folder)}"), refused.stderr


def test_a_worker_reads_in_its_root_alone(tiny: CLI, start: Start) -> None:
    """Not by a link, either, and nothing from the hub."""
    (tiny.folder / "loras").mkdir()
    (tiny.folder / "loras/out").symlink_to(tiny.folder / "a")
    (tiny.folder / "loras/in").mkdir()
    (tiny.folder / "loras/in" / FILE).write_bytes((tiny.folder / "a" / FILE).read_bytes())
    named = ["./loras/in", "./loras/out", "./a", "owner/name"]
    write_jsonl(tiny.folder / "in.jsonl", [row("a.png", "Make it red.", edit={"lora": name}) for name in named])
    assert tiny("submit", "in.jsonl", "--run-dir", "r", "--size", "96x64", "--steps", 1).returncode == 0
    start(diffuser_model_name="tiny-kontext", lora_root=tiny.folder / "loras")
    assert tiny("collect", "r").returncode == 3
    done, *refused = read_jsonl(tiny.folder / "r/output.jsonl")
    assert len(done["output_image"]) == 1
    assert [one["error"] for one in refused] == [
        f"line 2: {tiny.folder}/loras/out: leads out of FLEET_LORA_ROOT.",
        f"line 3: {tiny.folder}/a: leads out of FLEET_LORA_ROOT.",
        "line 4: lora owner/name: is on the hub, and this worker reads LoRAs from FLEET_LORA_ROOT alone.",
    ]
