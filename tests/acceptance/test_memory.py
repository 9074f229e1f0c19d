"""Memory that runs out on the device, with torch's own error, through a real worker and the demo model."""

import re

from PIL import Image

from tests.conftest import Start
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.pictures import photo
from tests.support.workers import WorkerProcess

#: Of an image of 256 x 256 px, with the one that it is made from.
TOKENS = 2 * (256 // 16) ** 2


def sizes(worker: WorkerProcess, bucket: str) -> list[int]:
    """Return how many rows each batch of a bucket had that was begun."""
    batches = [re.search(rf"micro-batch \w+: (\d+) of \d+ rows at {bucket}", line) for line in worker.lines()]
    return [int(batch[1]) for batch in batches if batch]


def test_memory_that_runs_out_costs_no_row_that_fits(cli: CLI, start: Start) -> None:
    """Batches are halved until they fit, and begin as small from then on; a size that never fits is its row's error."""
    photo("coffee", 256, 256, cli.folder / "a.png")
    rows = [row("a.png", f"Make it {colour}.") for colour in ["red", "blue", "grey", "green"] * 3]
    rows.append(row("a.png", "Make it red.", edit={"num_images": 4}))
    rows.append(row("a.png", "Make it red.", edit={"size": "512x512"}))
    write_jsonl(cli.folder / "in.jsonl", rows)
    assert cli("submit", "in.jsonl", "--run-dir", "r", "--steps", 1).returncode == 0
    worker = start(app="tests.support.small_gpu", small_gpu_tokens=2 * TOKENS)
    collected = cli("collect", "r")
    assert collected.returncode == 3, collected.stderr
    output = read_jsonl(cli.folder / "r/output.jsonl")
    assert [len(fields["output_image"]) for fields in output] == [1] * 12 + [4, 0]
    assert len({Image.open(cli.folder / path).tobytes() for path in output[12]["output_image"]}) == 4
    assert output[13]["error"] == (
        "line 14: the GPU has no memory for 1 image at 512x512; edit it at a smaller --size, or on a larger GPU."
    )
    # The first that did not fit, whichever it was, and then no more than two at a time.
    assert max(sizes(worker, "256x256")[2:]) == 2
    assert worker.process.poll() is None


def test_a_device_without_memory_for_anything_takes_no_row(start: Start) -> None:
    """Where not even the built-in picture fits, the worker says so and exits 1 before it takes a row."""
    worker = start(app="tests.support.small_gpu", small_gpu_tokens=1)
    assert worker.process.wait(60) == 1
    assert worker.logged("The model has no room to work: one image does not fit beside its weights")
    assert not worker.logged("Traceback")
