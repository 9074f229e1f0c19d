"""An input that changes while it is submitted, or before it is collected: noticed, in one sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.by_hand import answer_all, ended, finish, lose, rows_in_queue, write_rows
from tests.support.cli import CLI, read_jsonl
from tests.support.waiting import wait_until


@pytest.fixture
def five(cli: CLI) -> CLI:
    """Have an input of five rows."""
    write_rows(cli, 5)
    return cli


def _other_text(path: Path) -> None:
    path.write_text(path.read_text().replace("2.png", "x.png"))


def _one_more(path: Path) -> None:
    path.write_text(path.read_text() + path.read_text().splitlines()[0])


@pytest.mark.parametrize("change", [_other_text, _one_more])
def test_a_change_before_the_collection_is_one_sentence(
    five: CLI, redis_url: str, change: Callable[[Path], None]
) -> None:
    """Which names the file and what to do; every other row has its pictures in the output, and the row has none."""
    five("submit", "in.jsonl", "--run-dir", "r")
    change(five.folder / "in.jsonl")
    answer_all(redis_url)
    collected = five("collect", "r")
    assert collected.returncode == 1
    assert collected.stderr.splitlines()[-1] == (
        f"Error: 1 row of {five.folder}/in.jsonl was added or changed since it was sent;"
        " the same `producer submit` again sends it."
    )
    written = read_jsonl(five.folder / "r/output.jsonl")
    assert sum(not fields["output_image"] for fields in written) == 1
    five("submit", "in.jsonl", "--run-dir", "r")
    finish(five, redis_url)


def test_a_change_while_it_is_submitted_is_noticed(five: CLI, redis_url: str) -> None:
    """Rows that were read before it are sent as they were; the command that collects says that they are others now."""
    with ended(five.begin("submit", "in.jsonl", "--run-dir", "r", "--max-queued", "2")) as submitting:
        wait_until(
            lambda: rows_in_queue(redis_url) == [0, 1], "the first rows are sent, and there is no room for others"
        )
        path = five.folder / "in.jsonl"
        path.write_text(path.read_text().replace("red", "blue"))
        for rows in ([2, 3], [4]):
            answer_all(redis_url)
            wait_until(lambda rows=rows: rows_in_queue(redis_url) == rows, "others have taken their place")
        submitting.communicate(timeout=60)
    answer_all(redis_url)
    collected = five("collect", "r")
    assert collected.returncode == 1
    assert f"rows of {path} were added or changed since they were sent; the same" in collected.stderr


def test_an_input_that_is_gone_is_one_sentence(five: CLI, redis_url: str) -> None:
    """And no answer is lost by it: once it is back, the output is written."""
    five("submit", "in.jsonl", "--run-dir", "r")
    answer_all(redis_url)
    path = five.folder / "in.jsonl"
    text = path.read_text()
    path.unlink()
    collected = five("collect", "r")
    assert collected.returncode == 1
    assert f"Error: The input {path} of the run r is gone; put it back and collect again." in collected.stderr
    path.write_text(text)
    assert lose(redis_url, 1) == []
    finish(five, redis_url)
