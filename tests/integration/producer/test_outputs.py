"""Outputs of every form through the command line, on a real Redis and without a worker."""

import json

import pytest
from pyarrow import parquet

from tests.support.by_hand import answer_all, requests, write_rows
from tests.support.cli import CLI, read_jsonl

SUBMIT = ("submit", "in.jsonl", "--run-dir", "r")
NAMED = [[f"./r/sample_{number}/sample_{number}_0.png"] for number in range(2)]


@pytest.fixture
def two(cli: CLI) -> CLI:
    """Have an input of two rows."""
    write_rows(cli, 2)
    return cli


def test_a_run_remembers_its_table(two: CLI, redis_url: str) -> None:
    """Submit names it, collect writes it; a later collect may name another form, and redo and retry mind none."""
    submitted = two(*SUBMIT, "--output", "out.parquet", "--output-images", "bytes")
    assert submitted.returncode == 0, submitted.stderr
    answer_all(redis_url)
    collected = two("collect", "r")
    assert collected.returncode == 0, collected.stderr
    assert collected.stdout == f"{two.folder}/out.parquet\n"
    said = "2 pictures are not there and have no bytes in the output (such as ./r/sample_0/sample_0_0.png)."
    assert said in collected.stderr.splitlines(), "nobody has made any"
    embedded = parquet.read_table(two.folder / "out.parquet").column("output_image").to_pylist()
    assert embedded == [[{"bytes": None, "path": path}] for [path] in NAMED]

    for name in ("out.json", "out.jsonl", "paths.parquet"):
        assert two("collect", "r", "--output", name, "--output-images", "paths").returncode == 0
    assert json.loads((two.folder / "out.json").read_text()) == read_jsonl(two.folder / "out.jsonl")
    assert parquet.read_table(two.folder / "paths.parquet").column("output_image").to_pylist() == NAMED

    assert two("redo", "r", "--rows", "1").returncode == 0
    assert two("retry", "r", "--only", "unanswered").returncode == 0
    assert two("collect", "r", "--no-wait").returncode == 4
    unanswered = parquet.read_table(two.folder / "out.parquet").column("output_image").to_pylist()
    assert [len(pictures) for pictures in unanswered] == [1, 0]


def test_pictures_go_into_parquet_alone(two: CLI, redis_url: str) -> None:
    """What no other form holds is refused as wrong usage, before a row is sent, and before answers are waited for."""
    sentence = "--output-images / FLEET_OUTPUT_IMAGES is bytes, which only parquet holds, and the output is out.jsonl"
    refused = two(*SUBMIT, "--output-images", "bytes", "--output", two.folder / "out.jsonl")
    assert refused.returncode == 2
    assert sentence.replace("out.jsonl", f"{two.folder}/out.jsonl") in refused.stderr
    assert requests(redis_url) == []
    assert two(*SUBMIT).returncode == 0
    late = two("collect", "r", "--output", "out.jsonl", "--output-images", "bytes")
    assert (late.returncode, sentence in late.stderr) == (2, True)
