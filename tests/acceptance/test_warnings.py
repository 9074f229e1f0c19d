"""What a row's owner may not have meant is said: in the row, in the status, and at the end."""

import json
from pathlib import Path
from typing import Any

import pytest

from producer.run.ledger import Ledger
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.pictures import photo
from tests.support.waiting import wait_until
from worker.contract.messages import Outcome

LONG = "Make it red, and leave all else as it is. " * 60
ROWS: list[dict[str, Any]] = [
    row("a.png", "Make it red."),
    row("a.png", LONG),
    {**row("a.png", LONG), "images": ["a.png", "a.png"]},
    row("a.png", "Make it red.", edit={"negative_prompt": LONG, "true_cfg_scale": 2}),
    row("a.png", "Make it red.", output_image="a.png"),
]
WARNINGS = [None, ["instruction-cut"], ["images-unused", "instruction-cut"], ["instruction-cut"], ["kept"]]
SENTENCE = "3 rows: the instruction is longer than the model reads (such as row 1)."


@pytest.fixture(scope="module")
def producer(session_redis: str, shared_workers: object, tmp_path_factory: pytest.TempPathFactory) -> CLI:
    """Make a folder with an input, beside workers that are up."""
    del shared_workers
    producer = CLI(tmp_path_factory.mktemp("warnings"), {"broker_url": session_redis})
    photo("coffee", 64, 64, producer.folder / "a.png")
    write_jsonl(producer.folder / "in.jsonl", ROWS)
    return producer


def outcomes(folder: Path) -> list[Outcome]:
    """Return the answers of a run's workers."""
    with Ledger(folder, read_only=True) as ledger:
        return [Outcome.decode(record.outcome) for record in ledger.records() if record.outcome]


def test_a_cut_instruction_is_said_everywhere(producer: CLI) -> None:
    """A row whose instruction is cut says so, as do `status`, before and after the collection, and the run's end."""
    assert producer("submit", "in.jsonl", "--run-dir", "run", "--steps", 1).returncode == 0
    counts = {"kept": 1, "images-unused": 1, "instruction-cut": 3}

    def status() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(producer("status", "run", "--json").stdout)
        return found

    wait_until(lambda: not status()["waiting"], "every row is answered")
    assert status()["warnings"] == counts
    collected = producer("collect", "run")
    assert collected.returncode == 0, collected.stderr
    assert SENTENCE in collected.stderr
    assert [fields.get("warnings") for fields in read_jsonl(producer.folder / "run/output.jsonl")] == WARNINGS
    assert status()["warnings"] == counts
    read = [(outcome.tokens, outcome.tokens_read) for outcome in outcomes(producer.folder / "run")]
    assert all(tokens == most for tokens, most in (read[0], read[3]))
    assert all(tokens > most == 512 for tokens, most in read[1:3] if tokens)
    # The same command again does nothing, and says the same.
    again = producer("submit", "in.jsonl", "--run-dir", "run", "--steps", 1)
    assert "0 rows published" in again.stderr
    assert SENTENCE in producer("collect", "run").stderr


def test_a_long_instruction_may_be_an_error(producer: CLI) -> None:
    """With --long-instruction error such rows fail before anything is edited, and the others are done."""
    options = ["--run-dir", "strict", "--steps", 1, "--long-instruction", "error"]
    assert producer("submit", "in.jsonl", *options).returncode == 0
    assert producer("collect", "strict").returncode == 3
    errors = [fields.get("error") for fields in read_jsonl(producer.folder / "strict/output.jsonl")]
    assert [bool(error) for error in errors] == [False, True, True, True, False]
    assert errors[1].startswith("line 2: the instruction has ")
    assert errors[3].startswith("line 4: the negative prompt has ")
    assert errors[1].endswith(
        " tokens, of which the model reads 512; shorten it, or have it edited by what is read with"
        " --long-instruction warn."
    )
