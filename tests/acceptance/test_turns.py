"""A row's user turns, applied one after the other: what a chain of runs would make, turn by turn, in one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.cli import CLI, after_plan, read_jsonl, row, write_jsonl
from tests.support.pictures import photo
from worker.contract.seeds import image_seed, turn_seed

FIRST, SECOND = "Make it red.", "Mirror it."
SEED = 7
OPTIONS = ("--steps", 2, "--size", "input")
#: A conversation as data sets of several turns have it.
TURNS: list[dict[str, Any]] = [
    {"role": "user", "content": FIRST},
    {"role": "assistant", "content": "Done."},
    {"role": "user", "content": SECOND},
]


@dataclass(frozen=True)
class Chain:
    """Rows of two turns, and the same edits one by one."""

    producer: CLI
    #: The output of the run of two turns.
    output: list[dict[str, Any]]


def edit(producer: CLI, name: str, rows: list[dict[str, Any]], *options: object) -> list[dict[str, Any]]:
    """Send rows through the fleet; return the output."""
    write_jsonl(producer.folder / f"{name}.jsonl", rows)
    submitted = producer("submit", f"{name}.jsonl", "--run-dir", name, *OPTIONS, *options)
    assert submitted.returncode == 0, submitted.stderr
    collected = producer("collect", name)
    assert collected.returncode == 0, collected.stderr
    return read_jsonl(producer.folder / name / "output.jsonl")


@pytest.fixture(scope="module")
def chain(session_redis: str, shared_workers: object, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Edit a row of two turns, two pictures each, beside one of a single turn; then the same in two runs."""
    del shared_workers
    producer = CLI(tmp_path_factory.mktemp("turns"), {"broker_url": session_redis})
    photo("coffee", 150, 100, producer.folder / "a.png")
    own = {"seed": SEED, "num_images": 2}
    rows = [{"images": "a.png", "conversations": TURNS, "edit": own}, row("a.png", FIRST, edit=own)]
    output = edit(producer, "both", rows, "--turns", "each", "--details")
    edit(producer, "one", [row("a.png", FIRST, edit=own)])
    seed = turn_seed(SEED, 2)
    made = [(f"one/sample_0/sample_0_{index}.png", image_seed(seed, index)) for index in range(2)]
    edit(producer, "two", [row(path, SECOND, edit={"seed": one}) for path, one in made])
    return Chain(producer, output)


def difference(one: Path, other: Path) -> int:
    """Return the greatest difference of two pictures, of 255."""
    pixels = [np.asarray(Image.open(path)).astype(int) for path in (one, other)]
    assert pixels[0].shape == pixels[1].shape
    return int(np.abs(pixels[0] - pixels[1]).max())


def test_two_turns_are_two_runs(chain: Chain) -> None:
    """Every turn's picture is what the run of that turn alone makes of the picture before, with the turn's seeds."""
    here = chain.producer.folder
    for index in range(2):
        both = here / "both/sample_0"
        assert difference(both / f"turn_1_{index}.png", here / f"one/sample_0/sample_0_{index}.png") <= 1
        last, alone = both / f"sample_0_{index}.png", here / f"two/sample_{index}/sample_{index}_0.png"
        assert difference(last, alone) <= 2
        assert difference(last, both / f"turn_1_{index}.png") > 30
        with Image.open(last) as found, Image.open(alone) as by_hand:
            assert [found.info[f"fleet:{name}"] for name in ("instruction", "seed")] == [
                by_hand.info[f"fleet:{name}"] for name in ("instruction", "seed")
            ]
            assert found.info["fleet:turn"] == "2 of 2"
    assert difference(both / "sample_0_0.png", both / "sample_0_1.png") > 2


def test_the_output_has_the_last_turns_pictures(chain: Chain) -> None:
    """As ever; those before are in the column details, if that is asked for. A row of one turn has nothing more."""
    two, one = chain.output
    assert two["output_image"] == [f"./both/sample_0/sample_0_{index}.png" for index in range(2)]
    assert two["details"]["turns"] == [[f"./both/sample_0/turn_1_{index}.png" for index in range(2)]]
    assert two["details"]["seed"] == SEED
    assert "turns" not in one["details"]
    assert sorted(path.name for path in (chain.producer.folder / "both/sample_1").iterdir()) == [
        "sample_1_0.png",
        "sample_1_1.png",
    ]


def test_a_picture_of_any_turn_that_is_gone_has_its_row_made_again(chain: Chain) -> None:
    """A row is done as a whole; nothing else is made again, and --turns last asks first."""
    producer, gone = chain.producer, chain.producer.folder / "both/sample_0/turn_1_1.png"
    before = gone.read_bytes()
    command = ("submit", "both.jsonl", "--run-dir", "both", *OPTIONS, "--turns")
    refused = producer(*command, "last")
    assert refused.returncode == 2, refused.stderr
    assert "--turns was each, is last" in refused.stderr
    gone.unlink()
    verified = producer("verify", "both")
    assert (verified.returncode, "sample_0/turn_1_1.png" in verified.stdout + verified.stderr) == (4, True)
    again = producer(*command, "each")
    assert again.returncode == 0, again.stderr
    assert after_plan(again.stderr).startswith("1 row published")
    assert producer("collect", "both").returncode == 0
    made = gone.with_name("again.png")
    made.write_bytes(before)
    assert difference(gone, made) <= 1
