"""Rows with numbers of their own, far apart and in no order: from Python's rows to the output, on a real Redis."""

import json
from pathlib import Path

import pytest

from producer.staging.stage import stage
from tests.support.by_hand import answer, answer_all, lose, requests, require_sound, rows_in_queue
from tests.support.cli import CLI, read_jsonl, row
from worker.contract.seeds import row_seed

#: In the input's order. The last is as large as a number may be.
NUMBERS = [1000, 3, 7, 2**53 - 1]
SUBMIT = ("submit", "in.rows", "--run-dir", "r")


def write(cli: CLI, numbers: list[int], *texts: str) -> None:
    """Write rows with these numbers, each with its own instruction."""
    texts = texts or tuple(f"Make it {number} times as bright." for number in numbers)
    rows = (row("a.png", text, n=place) for place, text in enumerate(texts))
    assert stage(rows, cli.folder / "in.rows", pictures=cli.folder, image_keys=[], numbers=numbers) == len(texts)


def output(folder: Path) -> list[tuple[int, str]]:
    """Return each row's place in the input and its picture."""
    return [(fields["n"], "".join(fields["output_image"])) for fields in read_jsonl(folder / "r/output.jsonl")]


def picture(number: int) -> str:
    """Name a row's picture."""
    return f"./r/sample_{number}/sample_{number}_0.png"


@pytest.fixture
def sent(cli: CLI) -> CLI:
    """Have a run whose rows are sent."""
    write(cli, NUMBERS)
    done = cli(*SUBMIT)
    assert done.returncode == 0, done.stderr
    return cli


def test_numbers_name_files_and_decide_seeds(sent: CLI, redis_url: str) -> None:
    """Each row is sent under its number; the output has the input's order, and the same command sends no more."""
    assert [(request.row, request.seed) for request in requests(redis_url)] == [(n, row_seed(0, n)) for n in NUMBERS]
    answer_all(redis_url)
    status = json.loads(sent("status", "r", "--json").stdout)
    assert (status["total"], status["done"], status["waiting"], status["uncollected"]) == (4, 4, 0, 4)
    collected = sent("collect", "r")
    assert collected.returncode == 0, collected.stderr
    assert output(sent.folder) == [(place, picture(number)) for place, number in enumerate(NUMBERS)]
    assert sent(*SUBMIT).stderr.startswith("Plan: nothing to edit; left alone: 4 finished.\n")
    assert rows_in_queue(redis_url) == []
    require_sound(sent.folder / "r")


def test_what_failed_is_tried_again(sent: CLI, redis_url: str) -> None:
    """By retry, and by the row's own number; an error names the row's place as its line."""
    *others, last = lose(redis_url, len(NUMBERS))
    answer(redis_url, last, "image a.png: no such file.")
    for request in others:
        answer(redis_url, request)
    assert sent("collect", "r").returncode == 3
    assert read_jsonl(sent.folder / "r/output.jsonl")[3]["error"] == "line 4: image a.png: no such file."
    assert sent("errors", "r", "--by", "row").stdout == f"row {2**53 - 1}: image a.png: no such file.\n"
    assert sent("retry", "r").returncode == 0
    assert rows_in_queue(redis_url) == [2**53 - 1]
    answer_all(redis_url)
    assert sent("collect", "r").returncode == 0
    assert sent("redo", "r", "--rows", f"4-8,1000-{2**52}").stderr.startswith("2 rows are to be edited again")
    assert sent("retry", "r", "--only", "unanswered").returncode == 0
    assert rows_in_queue(redis_url) == [1000, 7]


def test_numbers_that_change_are_other_rows(sent: CLI, redis_url: str) -> None:
    """Two rows that have swapped their numbers are sent again; one that is gone is forgotten; the rest stays."""
    answer_all(redis_url)
    assert sent("collect", "r").returncode == 0
    write(sent, [1000, 7, 3], *(f"Make it {number} times as bright." for number in NUMBERS[:3]))
    again = sent("collect", "r")
    assert again.returncode == 1, "an input that has changed is noticed"
    assert output(sent.folder) == [(0, picture(1000)), (1, ""), (2, "")]
    assert sent(*SUBMIT).returncode == 0
    assert rows_in_queue(redis_url) == [7, 3]
    answer_all(redis_url)
    assert sent("collect", "r").returncode == 0
    assert output(sent.folder) == [(0, picture(1000)), (1, picture(7)), (2, picture(3))]
    assert json.loads(sent("status", "r", "--json").stdout)["total"] == 3


def test_rows_that_redis_lost_are_sent_again(sent: CLI, redis_url: str) -> None:
    """Each under its own number."""
    _, answered, *_ = lose(redis_url, len(NUMBERS))
    answer(redis_url, answered)
    assert sent("collect", "r", "--no-wait").returncode == 4
    assert sent("retry", "r", "--only", "unanswered").returncode == 0
    assert rows_in_queue(redis_url) == [1000, 7, 2**53 - 1]
