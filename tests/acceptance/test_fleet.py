"""The main job through a real fleet: one Redis, two workers, rows of mixed shapes."""

import json
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import FluxKontextPipeline
from PIL import Image, ImageChops, ImageStat

from producer.run.ledger import Ledger
from tests.conftest import Start
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.meaning import Asked, mistaken
from tests.support.pictures import UNSEEN, photo
from tests.support.pipelines import edit
from worker.contract.messages import Outcome
from worker.contract.seeds import row_seed
from worker.models.demo import CHECKPOINT
from worker.models.demo.phrases import HELD_OUT

SHAPES = [(600, 400), (400, 600), (500, 500), (640, 279), (451, 300), (300, 400)]
PHOTOS = ["coffee", "hopper", "cat", "astronaut", "rocket"]  # of many colours, which tell the edits apart
#: What the demo model can do, one phrasing of each.
EDITS = ["red", "mirror", "green", "invert", "brighter", "blue", "outline"]
#: More than a worker holds, so that both have some; of 42 every shape has every edit.
COUNTS = [30, pytest.param(42, marks=pytest.mark.thorough)]
STEPS = 4  # fewer than the demo's own 8: the tests have two cores


@dataclass(frozen=True)
class Finished:
    """A run that the fleet has finished."""

    folder: Path
    input: list[dict[str, Any]]
    output: list[dict[str, Any]]
    outcomes: list[Outcome]

    def file(self, number: int) -> Path:
        """Return the path of a row's picture."""
        (path,) = self.output[number]["output_image"]
        return self.folder / path

    def picture(self, number: int) -> Image.Image:
        """Open a row's picture."""
        return Image.open(self.file(number))


def make_rows(folder: Path, count: int) -> list[dict[str, Any]]:
    """Write crops of the photographs and one row for each; no two rows share photograph, shape and instruction.

    The three lists have no common factor in their lengths; so not even rows of one bucket share the other two.
    """
    rows = []
    for number in range(count):
        width, height = SHAPES[number % len(SHAPES)]
        name = f"{number}.png"
        photo(PHOTOS[number % len(PHOTOS)], width, height, folder / name, photos=UNSEEN)
        rows.append(row(name, HELD_OUT[EDITS[number % len(EDITS)]][0]))
    return rows


@pytest.fixture(scope="module", params=COUNTS)
def finished(
    session_redis: str, shared_workers: object, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Finished:
    """Send rows through the fleet, as the README says."""
    del shared_workers
    folder = tmp_path_factory.mktemp("finished")
    rows = make_rows(folder, request.param)
    write_jsonl(folder / "input.jsonl", rows)
    producer = CLI(folder, {"broker_url": session_redis})
    submitted = producer("submit", "input.jsonl", "--run-dir", "run", "--size", "bucket", "--steps", STEPS, "--seed", 7)
    assert submitted.returncode == 0, submitted.stderr
    assert submitted.stdout == "run\n"
    collected = producer("collect", "run")
    assert collected.returncode == 0, collected.stderr
    with Ledger(folder / "run", read_only=True) as ledger:
        outcomes = [Outcome.decode(record.outcome or "") for record in ledger.records()]
    return Finished(folder, rows, read_jsonl(folder / "run" / "output.jsonl"), outcomes)


@pytest.fixture(scope="module")
def alone(finished: Finished) -> dict[int, Image.Image]:
    """Compute a third of the rows' pictures with the pipeline alone, one at a time: of every shape, and every edit."""
    torch.set_num_threads(1)  # two would spin against the workers' threads on two cores
    pipeline = FluxKontextPipeline.from_pretrained(CHECKPOINT, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.vae.to(memory_format=torch.channels_last)  # it takes six tenths of the time
    pictures = {}
    for number, outcome in enumerate(finished.outcomes[: len(finished.outcomes) // 3]):
        assert outcome.bucket is not None
        assert outcome.seed is not None
        width, height = outcome.bucket
        with Image.open(finished.folder / finished.input[number]["images"]) as image:
            resized = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        prompt = finished.input[number]["conversations"][0]["content"]
        (pictures[number],) = edit(pipeline, [resized], [prompt], [outcome.seed], steps=STEPS)
    return pictures


def test_every_row_comes_back_in_order(finished: Finished) -> None:
    """The output has the input's rows in the input's order, each with its own picture's path added last."""
    expected = [
        {**fields, "output_image": [f"./run/sample_{number}/sample_{number}_0.png"]}
        for number, fields in enumerate(finished.input)
    ]
    assert finished.output == expected
    assert all(list(fields)[-1] == "output_image" for fields in finished.output)


def test_both_workers_take_part(finished: Finished) -> None:
    """Two workers share one run."""
    assert {outcome.worker.split("@")[0] for outcome in finished.outcomes} == {"gpu0", "gpu1"}


def test_a_batch_holds_one_bucket_and_its_stated_size(finished: Finished) -> None:
    """Rows of one batch id share a bucket, are as many as the outcome says, and are more than one at times."""
    batches: dict[str | None, list[Outcome]] = defaultdict(list)
    for outcome in finished.outcomes:
        batches[outcome.batch_id].append(outcome)
    for rows in batches.values():
        assert len({outcome.bucket for outcome in rows}) == 1
        assert {outcome.batch_size for outcome in rows} == {len(rows)}
        assert len({outcome.worker for outcome in rows}) == 1
    assert max(map(len, batches.values())) > 1
    assert len({outcome.bucket for outcome in finished.outcomes}) > 3


def test_every_row_gets_its_own_edit(finished: Finished, alone: dict[int, Image.Image]) -> None:
    """A row's picture is, to 1/255, what the pipeline alone makes of its photograph, instruction and seed."""
    for number, expected in alone.items():
        assert finished.outcomes[number].seed == row_seed(7, number)
        difference = ImageChops.difference(finished.picture(number).convert("RGB"), expected)
        assert max(high for _, high in difference.getextrema()) <= 1, f"row {number}"


def test_every_row_shows_what_it_asks_for(finished: Finished) -> None:
    """A row's picture matches its own photograph and instruction better than any other row's."""
    assert not mistaken(
        {
            number: (finished.file(number), Asked(finished.folder / fields["images"], EDITS[number % len(EDITS)]))
            for number, fields in enumerate(finished.input)
        }
    )


def test_a_swapped_pair_would_be_noticed(alone: dict[int, Image.Image]) -> None:
    """Any two rows' pictures of one size differ by far more than 1/255, or the tests above could not fail."""
    for one, other in combinations(alone.values(), 2):
        if one.size == other.size:
            assert max(ImageStat.Stat(ImageChops.difference(one, other)).mean) > 4


def test_outcomes_tell_what_happened(finished: Finished) -> None:
    """An outcome carries the seconds of each stage and the digest of the source."""
    for outcome in finished.outcomes:
        assert outcome.seconds.keys() == {"decode", "wait", "model", "encode"}
        assert [len(digest) for digest in outcome.source_digests] == [64]
        assert outcome.batch_limit == 4


def test_status_of_a_finished_run(finished: Finished, session_redis: str) -> None:
    """`status --json` counts rows, workers and full batches."""
    producer = CLI(finished.folder, {"broker_url": session_redis})
    status = json.loads(producer("status", "run", "--json").stdout)
    assert {key: status[key] for key in ("total", "done", "failed", "waiting")} == {
        "total": len(finished.input),
        "done": len(finished.input),
        "failed": 0,
        "waiting": 0,
    }
    assert sum(status["workers"].values()) == len(finished.input)
    full = sum(outcome.batch_size == outcome.batch_limit for outcome in finished.outcomes)
    assert status["full_batches"] == pytest.approx(full / len(finished.outcomes), abs=1e-4)


def test_the_output_keeps_the_inputs_aspect_ratio(fleet_cli: CLI) -> None:
    """Under `auto` a picture has its input's aspect ratio within a pixel, beyond the bucket shapes too."""
    shapes = [*SHAPES, (900, 100), (90, 700)]
    names = [photo("hubble", *shape, fleet_cli.folder / f"{shape[0]}.png").name for shape in shapes]
    write_jsonl(fleet_cli.folder / "in.jsonl", [row(name, "Make it blue.") for name in names])
    assert fleet_cli("submit", "in.jsonl", "--run-dir", "r", "--steps", 1).returncode == 0
    assert fleet_cli("collect", "r").returncode == 0
    for (width, height), fields in zip(shapes, read_jsonl(fleet_cli.folder / "r/output.jsonl"), strict=True):
        made_width, made_height = Image.open(fleet_cli.folder / fields["output_image"][0]).size
        assert (
            abs(made_width - made_height * width / height) <= 1 or abs(made_height - made_width * height / width) <= 1
        )


def test_rows_ride_in_full_batches_while_the_queue_is_long(cli: CLI, start_plain: Start) -> None:
    """Of 240 rows of six shapes, at least 90 % ride in full batches once the end of the queue is set aside."""
    names = [
        photo(PHOTOS[n % 5], *shape, cli.folder / f"{n}.png", photos=UNSEEN).name for n, shape in enumerate(SHAPES)
    ]
    rows = [row(names[number * 7 % len(names)], f"Make it {number}.") for number in range(240)]
    write_jsonl(cli.folder / "in.jsonl", rows)
    assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    for name in ("gpu0", "gpu1"):
        # That a batch stays on its "GPU", for others to gather meanwhile; and the machine may be slow to decode them.
        start_plain(name, passthrough_seconds=0.2, batch_wait=3)
    assert cli("collect", "r").returncode == 0
    with Ledger(cli.folder / "r", read_only=True) as ledger:
        outcomes = [Outcome.decode(record.outcome or "") for record in ledger.records()]
    partial = sum(outcome.batch_size != outcome.batch_limit for outcome in outcomes)
    # At the end of the queue up to 3 rows of each of 6 shapes are left on each of 2 workers: 36 rows that no
    # policy can make full batches of.
    assert partial <= 36 + 0.1 * (240 - 36)
