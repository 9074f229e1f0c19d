"""`producer check` tells the GPU's time by the rows' arithmetic where nothing was measured."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from producer.checking.arithmetic import rate_of
from producer.commands.cli import main
from tests.support.cli import row, write_jsonl
from worker.contract.catalog import MODELS
from worker.contract.work import Network

WIDE, SQUARE = (1248, 832), (1024, 1024)

KONTEXT = MODELS["FLUX-Kontext"].checkpoints[0]
KLEIN = MODELS["FLUX.2-klein"].checkpoints[0]
KV = MODELS["FLUX.2-klein-KV"].checkpoints[0]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in the test's own folder, where two pictures lie."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (96, 64), "teal").save("wide.png")
    Image.new("RGB", (64, 64), "teal").save("square.png")


def found(rows: list[Any], *options: object) -> dict[str, Any]:
    """Check rows; return what scripts are told."""
    write_jsonl(Path("in.jsonl"), rows)
    result = CliRunner().invoke(main, ["check", "in.jsonl", "--json", *map(str, options)])
    assert result.exit_code == 0, result.output
    facts: dict[str, Any] = json.loads(result.stdout)
    return facts


def pflop(network: Network, made: tuple[int, int], *references: tuple[int, int], passes: int = 28) -> float:
    """Return what so many passes come to, none of them cheaper than another."""
    return passes * network.first(network.tokens(made, [made, *references])).all / 1e15


def test_a_rows_resolution_steps_images_and_negative_prompt_count() -> None:
    """Each row's own are summed up; at 790 TFLOP/s, which is called an assumption."""
    own = {"steps": 7, "num_images": 3, "negative_prompt": "", "true_cfg_scale": 2}
    facts = found([row("wide.png", "x"), row("square.png", "x", edit=own)], "--model", "FLUX-Kontext")
    work = pflop(KONTEXT.network, WIDE) + pflop(KONTEXT.network, SQUARE, passes=7 * 3 * 2)
    assert facts["pflop"] == pytest.approx(work, abs=1e-3)
    assert facts["gpu_seconds"] == pytest.approx(1000 * work / 790, abs=1e-3)
    assert (facts["tflops"], facts["gpu_seconds_by"]) == (790, "assumption")


def test_people_are_told_the_rate_and_that_it_is_assumed() -> None:
    """The time, the rate and the work, and how to have another rate."""
    write_jsonl(Path("in.jsonl"), [row("square.png", "x")] * 2)
    command = ["check", "in.jsonl", "--model", "FLUX-Kontext"]
    assert CliRunner().invoke(main, command).stdout.splitlines()[-1] == (
        "GPU time for 2 images: about 0 h 00 min 12 s at 790 TFLOP/s (an assumption: what an H200 reaches in large bf16"
        " products, and models less) for 9.264 PFLOP; --tflops names another rate, --timed-by a run that measured it."
    )
    said = CliRunner().invoke(main, [*command, "--tflops", "20"]).stdout.splitlines()[-1]
    assert "about 0 h 07 min 43 s at 20 TFLOP/s (as given) for 9.264 PFLOP;" in said


def test_references_are_work() -> None:
    """Each at the resolution nearest to its shape; without them the same rows cost less."""
    rows = [row(["square.png", "wide.png"], "x")]
    options = ("--model", "FLUX.2-klein", "--multi-image")
    work = pflop(KLEIN.network, SQUARE, WIDE, passes=4)
    assert found(rows, *options, "references")["pflop"] == pytest.approx(work, abs=1e-3)
    assert found(rows, *options, "first")["pflop"] == pytest.approx(KLEIN.pflop, abs=1e-3)


def test_references_that_are_kept_are_work_once() -> None:
    """FLUX.2 [klein] KV calculates them at the first of its steps alone."""
    rows = [row(["square.png", "wide.png"], "x")]
    network, tokens = KV.network, KV.network.tokens(SQUARE, [SQUARE, WIDE])
    work = (network.first(tokens).all + 3 * network.later(tokens).all) / 1e15
    facts = found(rows, "--model", "FLUX.2-klein-KV", "--multi-image", "references")
    assert facts["pflop"] == pytest.approx(work, abs=1e-3)
    assert work < 0.6 * pflop(replace(network, keeps_references=False), SQUARE, WIDE, passes=4)


def test_each_turn_is_work() -> None:
    """Where it counts: as much as the first, its pictures among those that are made."""
    rows = [{"images": "wide.png", "conversations": ["x", "y", "z"], "edit": {"num_images": 2}}]
    facts = found(rows, "--model", "FLUX-Kontext", "--turns", "each")
    assert facts["pflop"] == pytest.approx(3 * 2 * pflop(KONTEXT.network, WIDE), abs=1e-3)
    assert facts["images"] == 6
    assert found(rows, "--model", "FLUX-Kontext")["images"] == 2


def test_true_cfg_is_a_second_pass() -> None:
    """A model that has it by itself runs twice in each step, unless its guidance is 1."""
    options = ("--model", "FLUX.2-klein-base", "--steps", 10)
    work = pflop(KLEIN.network, SQUARE, passes=10)
    assert found([row("square.png", "x")], *options)["pflop"] == pytest.approx(2 * work, abs=1e-3)
    assert found([row("square.png", "x")], *options, "--guidance", 1)["pflop"] == pytest.approx(work, abs=1e-3)


def test_steps_that_are_left_out_are_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the profile `fast` 16 of 28 steps are computed."""
    monkeypatch.setenv("FLEET_PROFILE", "fast")
    work = pflop(KONTEXT.network, SQUARE, passes=16)
    assert found([row("square.png", "x")], "--model", "FLUX-Kontext")["pflop"] == pytest.approx(work, abs=1e-3)


def test_the_size_of_a_local_folder_is_its_own() -> None:
    """Width and blocks are read from its configuration; where there is none, or of weights nobody knows, no time is."""
    rows = [row("square.png", "x")]
    Path("weights/transformer").mkdir(parents=True)
    options = ("--model", "FLUX.2-klein", "--hf-model-name-or-path")
    assert found(rows, *options, "weights")["gpu_seconds"] is None
    assert found(rows, *options, "some/thing")["gpu_seconds"] is None
    config = {"num_attention_heads": 10, "attention_head_dim": 100, "num_layers": 3, "num_single_layers": 4}
    Path("weights/transformer/config.json").write_text(json.dumps(config))
    work = pflop(Network(width=1000, blocks=7, squares=13), SQUARE, passes=4)
    assert found(rows, *options, "weights")["pflop"] == pytest.approx(work, abs=1e-3)


def test_what_was_measured_with_the_weights_comes_before_the_assumption() -> None:
    """4.63 PFLOP in 9.26 s are 500 TFLOP/s; what the user gives comes first."""
    measured = replace(KONTEXT, seconds=9.26)
    assert rate_of(measured, None)[:2] == (pytest.approx(500), "catalog")
    assert rate_of(measured, 20)[:2] == (20, "given")
    assert rate_of(KONTEXT, None)[:2] == (790, "assumption")
