"""Pictures from instructions alone, through Redis and a worker: beside edits, and never among them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from producer.run.ledger import Ledger
from tests.conftest import Start
from tests.support.cli import CLI, after_plan, read_jsonl, write_jsonl
from tests.support.pictures import photo
from tests.support.waiting import wait_until
from worker.contract.messages import queue_name
from worker.contract.outcomes import open_redis
from worker.contract.roster import Roster, rows_in


def row(prompt: str, **more: Any) -> dict[str, Any]:
    """Make a row as DataFlow's users of text2image have it."""
    return {"conversations": [{"role": "user", "content": prompt}], **more}


def maker(cli: CLI, model: str) -> CLI:
    """Call `producer` for pictures of this model."""
    return replace(cli, settings={**cli.settings, "diffuser_model_name": model, "image_gen_task": "text2image"})


def pixels(folder: Path, path: str) -> np.ndarray[Any, Any]:
    """Return a picture that an output names."""
    return np.asarray(Image.open(folder / path)).astype(int)


@pytest.mark.parametrize("model", ["tiny-kontext", "tiny-klein"])
def test_every_row_gets_its_own_picture(cli: CLI, start: Start, model: str) -> None:
    """From its own instruction, seed and size, several where it wants them; a row with an image has its error."""
    rows = [
        row("A house by a lake."),
        row("A red bicycle in the rain.", images=""),
        row("A house by a lake.", images=[], edit={"seed": 5, "num_images": 2}),
        row("A house by a lake.", edit={"seed": 5, "size": "96x64"}),
        row("A house by a lake.", images="coffee.png"),
        row("", images=None),
        row("A house by a lake.", edit={"size": "input"}),
    ]
    produce = maker(cli, model)
    write_jsonl(cli.folder / "in.jsonl", rows)
    options = ("in.jsonl", "--size", "128x96", "--steps", 3, "--details")
    submitted = produce("submit", *options)
    assert submitted.returncode == 0, submitted.stderr
    assert submitted.stdout == "cache_local/text2image_local/in\n"
    worker = start(diffuser_model_name=model, image_gen_task="text2image")
    collected = produce("collect", "cache_local/text2image_local/in")
    assert collected.returncode == 3, collected.stderr
    output = read_jsonl(cli.folder / collected.stdout.strip())
    assert [len(one["output_image"]) for one in output] == [1, 1, 2, 1, 0, 0, 0]
    assert output[0]["output_image"] == ["./cache_local/text2image_local/in/sample_0/sample_0_0.png"]
    first, second, third, fourth = (pixels(cli.folder, one["output_image"][0]) for one in output[:4])
    assert [picture.shape for picture in (first, second, third, fourth)] == [(96, 128, 3)] * 3 + [(64, 96, 3)]
    again = pixels(cli.folder, output[2]["output_image"][1])
    assert min(np.abs(first - other).mean() for other in (second, third, again)) > 8
    assert output[0]["details"]["size"] == [128, 96]
    assert output[4]["error"].startswith("line 5: images: names an image, and text2image takes none; ")
    assert output[5]["error"] == "line 6: conversations: no user turn with text."
    assert output[6]["error"].startswith("line 7: edit.size: input follows from a picture, and text2image has none; ")
    found = Image.open(cli.folder / output[0]["output_image"][0]).info
    assert (found["fleet:task"], found["fleet:instruction"]) == ("text2image", "A house by a lake.")
    assert worker.logged(f"model ready: {model} ")
    with Ledger(cli.folder / "cache_local/text2image_local/in", read_only=True) as ledger:
        [outcome, *_] = [json.loads(record.outcome or "{}") for record in ledger.records()]
    assert (outcome["source_digests"], outcome["bucket"]) == ([], [128, 96])
    assert after_plan(produce("submit", *options).stderr).startswith("0 rows published"), "nothing is made again"


def test_rows_of_both_tasks_never_meet(cli: CLI, start_plain: Start, redis_url: str) -> None:
    """A worker of one leaves the other's rows where they are; with one of each, both runs come to their ends."""
    photo("coffee", 192, 128, cli.folder / "a.png")
    made, edits = maker(cli, "tiny-klein"), replace(cli, settings={**cli.settings, "diffuser_model_name": "tiny-klein"})
    write_jsonl(cli.folder / "text.jsonl", [row(f"House {number}.") for number in range(3)])
    write_jsonl(cli.folder / "edits.jsonl", [row(f"Make it {number}.", images="a.png") for number in range(3)])
    start_plain("editor", diffuser_model_name="tiny-klein").wait_until_ready()
    for produce, name in ((made, "text"), (edits, "edits")):
        assert produce("submit", f"{name}.jsonl", "--run-dir", name).returncode == 0
    assert edits("collect", "edits").returncode == 0, "the editor has looked for rows"
    [waiting] = Roster(open_redis(redis_url), queue_name("tiny-klein", task="text2image")).listed()
    assert rows_in(open_redis(redis_url), [waiting.queue]) == [3]
    assert "for imageedit" in made("status", "text").stdout
    assert made("queue-length", "tiny-klein").stdout == "3\n"
    assert edits("queue-length", "tiny-klein").stdout == "0\n"
    start_plain("maker", diffuser_model_name="tiny-klein", image_gen_task="text2image")
    assert made("collect", "text").returncode == 0
    wait_until(lambda: rows_in(open_redis(redis_url), [waiting.queue]) == [0], "no row is left")
    sizes = [
        Image.open(cli.folder / one["output_image"][0]).size for one in read_jsonl(cli.folder / "text/output.jsonl")
    ]
    assert sizes == [(256, 256)] * 3


def test_a_folder_of_one_task_is_not_taken_over_by_the_other(cli: CLI, start_plain: Start) -> None:
    """Finished pictures are not made anew by a forgotten option; retry goes by what the folder remembers."""
    produce = maker(cli, "tiny-klein")
    write_jsonl(cli.folder / "in.jsonl", [row("A house.", images=""), row("A lake.", images="a.png")])
    start_plain(diffuser_model_name="tiny-klein", image_gen_task="text2image")
    submitted = produce("submit", "in.jsonl", "--run-dir", "r", "--output-image-key", "images")
    assert submitted.returncode == 0, submitted.stderr
    collected = produce("collect", "r")
    assert collected.returncode == 0, collected.stderr
    first, kept = read_jsonl(cli.folder / "r/output.jsonl")
    assert (first["images"], kept["images"]) == (["./r/sample_0/sample_0_0.png"], "a.png"), (
        "a finished row is left alone"
    )
    edits = replace(cli, settings={**cli.settings, "diffuser_model_name": "tiny-klein"})
    refused = edits("submit", "in.jsonl", "--run-dir", "r", "--output-image-key", "made")
    assert refused.returncode == 2, refused.stderr
    assert "--task was text2image, is imageedit" in refused.stderr
    retried = edits("retry", "r", "--only", "all")
    assert retried.returncode == 0, retried.stderr
