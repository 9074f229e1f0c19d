"""Rows with parameters of their own share a job, ride only with their like, and get just what they named."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from diffusers import FluxKontextPipeline
from PIL import Image, ImageChops

from producer.run.ledger import Ledger
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.pictures import photo
from worker.contract.messages import Outcome
from worker.contract.seeds import image_seed, row_seed
from worker.models.demo import CHECKPOINT

PROMPTS = ["Make it red.", "Invert it."]
#: Each stands in two rows, so that a batch of its like could form.
OWN: list[dict[str, Any]] = [
    {},
    {"steps": 2},
    {"guidance": 0},
    {"negative_prompt": "blurry, grey", "true_cfg_scale": 3},
    {"num_images": 2},
    {"seed": 11},
]
SIZE = (192, 128)  # what is asked for, so that nothing is resized


@dataclass(frozen=True)
class Edited:
    """A run, row by row."""

    outcomes: list[Outcome]
    pictures: list[list[Image.Image]]


def edit(producer: CLI, rows: list[dict[str, Any]], run: str) -> Edited:
    """Send rows through the fleet."""
    write_jsonl(producer.folder / f"{run}.jsonl", rows)
    submitted = producer("submit", f"{run}.jsonl", "--run-dir", run, "--steps", 3, "--seed", 5, "--size", "192x128")
    assert submitted.returncode == 0, submitted.stderr
    collected = producer("collect", run)
    assert collected.returncode == 0, collected.stderr
    with Ledger(producer.folder / run, read_only=True) as ledger:
        outcomes = [Outcome.decode(record.outcome or "") for record in ledger.records()]
    output = read_jsonl(producer.folder / run / "output.jsonl")
    return Edited(
        outcomes, [[Image.open(producer.folder / path) for path in fields["output_image"]] for fields in output]
    )


@pytest.fixture(scope="module")
def mixed(session_redis: str, shared_workers: object, tmp_path_factory: pytest.TempPathFactory) -> tuple[CLI, Edited]:
    """Edit two rows of each kind, mixed."""
    del shared_workers
    producer = CLI(tmp_path_factory.mktemp("mixed"), {"broker_url": session_redis})
    photo("coffee", *SIZE, producer.folder / "a.png")
    return producer, edit(producer, [row("a.png", prompt, edit=own) for prompt in PROMPTS for own in OWN], "mixed")


def difference(one: Image.Image, other: Image.Image) -> int:
    """Return the greatest difference of two pictures, of 255."""
    return max(high for _, high in ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getextrema())


def test_rows_ride_only_with_their_like(mixed: tuple[CLI, Edited]) -> None:
    """Rows of one batch have the same steps, guidance, scale and number of images; seeds may differ."""
    keys: dict[str | None, set[tuple[object, ...]]] = defaultdict(set)
    riders: dict[str | None, int] = defaultdict(int)
    for number, outcome in enumerate(mixed[1].outcomes):
        own = OWN[number % len(OWN)]
        keys[outcome.batch_id].add(tuple(own.get(key) for key in ("steps", "guidance", "true_cfg_scale", "num_images")))
        riders[outcome.batch_id] += 1
    assert all(len(kinds) == 1 for kinds in keys.values())
    assert max(riders.values()) > 1


def test_every_row_gets_what_it_named(mixed: tuple[CLI, Edited]) -> None:
    """Each row's pictures are, to 1/255, what the pipeline alone makes with just that row's parameters."""
    torch.set_num_threads(1)
    pipeline = FluxKontextPipeline.from_pretrained(CHECKPOINT, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    producer, edited = mixed
    with Image.open(producer.folder / "a.png") as image:
        source = image.convert("RGB")
    for number, pictures in enumerate(edited.pictures):
        own = OWN[number % len(OWN)]
        seed = own.get("seed", row_seed(5, number))
        assert edited.outcomes[number].seed == seed
        assert len(pictures) == own.get("num_images", 1)
        for index, picture in enumerate(pictures):
            alone = pipeline(
                image=source,
                prompt=PROMPTS[number // len(OWN)],
                negative_prompt=own.get("negative_prompt"),
                true_cfg_scale=own.get("true_cfg_scale", 1.0),
                width=SIZE[0],
                height=SIZE[1],
                max_area=SIZE[0] * SIZE[1],
                _auto_resize=False,
                num_inference_steps=own.get("steps", 3),
                guidance_scale=own.get("guidance", 3.5),
                generator=torch.Generator("cpu").manual_seed(image_seed(seed, index)),
            ).images[0]
            assert difference(picture, alone) <= 1, f"row {number}, image {index}"


def test_the_images_of_a_row_differ(mixed: tuple[CLI, Edited]) -> None:
    """A row's second image has noise of its own."""
    for first, second in (pictures for pictures in mixed[1].pictures if len(pictures) == 2):
        assert difference(first, second) > 2


def test_the_noise_is_the_rows_own(mixed: tuple[CLI, Edited]) -> None:
    """The same row edited alone, or again after it had failed, gets the noise that it had among its neighbours."""
    producer, edited = mixed
    rows = [
        row("a.png", PROMPTS[0], edit={"seed": row_seed(5, 0)}),
        row("late.png", PROMPTS[0], edit={"seed": row_seed(5, 0)}),
    ]
    write_jsonl(producer.folder / "again.jsonl", rows)
    command = ("--run-dir", "again", "--steps", 3, "--size", "192x128")
    assert producer("submit", "again.jsonl", *command).returncode == 0
    assert producer("collect", "again").returncode == 3  # late.png is not there yet
    photo("coffee", *SIZE, producer.folder / "late.png")
    assert producer("submit", "again.jsonl", *command).returncode == 0
    assert producer("collect", "again").returncode == 0
    for number in range(2):
        with Image.open(producer.folder / f"again/sample_{number}/sample_{number}_0.png") as picture:
            assert difference(picture, edited.pictures[0][0]) <= 1
    assert difference(edited.pictures[0][0], edited.pictures[5][0]) > 2  # another seed is another picture
