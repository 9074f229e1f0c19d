"""A run whose rows fail and fail is ended, by `--max-failed` or by whoever is asked, and goes on later."""

import os
import pty
import subprocess
from contextlib import suppress

import pytest

from tests.support.by_hand import answer, answer_all, ended, finish, lose, read_until, requests, write_rows
from tests.support.cli import CLI, PRODUCER, row, write_jsonl
from tests.support.workers import environment

ABSENT = "image /x.png: no such file."
SUBMIT = ("submit", "in.jsonl", "--run-dir", "r")
ALIKE = "100 rows have failed one after the other, all alike: image: no such file"


def send(cli: CLI, redis_url: str, rows: int, *, failed: int) -> None:
    """Submit rows, the first of which fail."""
    write_rows(cli, rows)
    assert cli(*SUBMIT).returncode == 0
    for request in lose(redis_url, failed):
        answer(redis_url, request, ABSENT)


def test_too_many_failures_end_a_run(cli: CLI, redis_url: str) -> None:
    """One sentence says how many, of what, and how it goes on; nobody works on the rest; the same submit does all."""
    send(cli, redis_url, 5, failed=3)
    collected = cli("collect", "r", "--max-failed", 2)
    assert collected.returncode == 1
    assert collected.stderr == (
        "Error: The run r is ended: 3 rows have failed, more than --max-failed 2 allows, such as row 0:"
        " image /x.png: no such file. Nothing is lost, 2 rows are unanswered, and the same `producer submit`, or"
        " `producer retry r --only unanswered`, takes it up again.\n"
    )
    assert requests(redis_url) == []
    assert cli(*SUBMIT).returncode == 0
    finish(cli, redis_url)


def test_as_many_as_were_allowed_do_not(cli: CLI, redis_url: str) -> None:
    """A run of few failures, which are a part of the share, ends as ever."""
    send(cli, redis_url, 4, failed=2)
    answer_all(redis_url)
    assert cli("collect", "r", "--max-failed", "50%").returncode == 3


@pytest.mark.parametrize("command", ["submit", "run"])
def test_rows_that_cannot_be_sent_count(cli: CLI, redis_url: str, command: str) -> None:
    """A run is ended before the rest is sent, and before a worker is started."""
    write_jsonl(cli.folder / "in.jsonl", ["no JSON", "no JSON", row("absent.png", "Make it red.")])
    done = cli(command, *SUBMIT[1:], "--max-failed", "60%")
    assert done.returncode == 1
    said = "2 rows have failed, more than --max-failed 60% allows, such as row 0: line 1: is no JSON"
    if command == "run":
        said = "3 rows have failed, more than --max-failed 60% allows, 2 of them alike, as row 0: line 1: is no JSON"
    assert said in done.stderr
    assert done.stderr.endswith("and the same command goes on.\n")
    assert requests(redis_url) == []
    assert not list(cli.folder.glob("r/worker-*"))


def test_a_limit_that_is_none_is_refused(cli: CLI) -> None:
    """It is said what may be written, before anything is done."""
    write_rows(cli, 1)
    refused = cli(*SUBMIT, "--max-failed", "a few")
    assert refused.returncode == 2
    assert "'--max-failed': takes a number of rows, as 20, or a share of all, as 5%; found 'a few'." in refused.stderr
    assert not (cli.folder / "r").exists()


def test_without_a_terminal_it_is_told_and_goes_on(cli: CLI, redis_url: str) -> None:
    """A hundred rows in a row that fail alike are said once, and the run is done to its end."""
    send(cli, redis_url, 102, failed=101)
    with ended(cli.begin("collect", "r")) as process:
        (said,) = [line for line in read_until(process.stderr, "The run goes on") if "failed" in line]
        assert said == f"{ALIKE} (such as row 0). The run goes on; with --max-failed it would end.\n"
        answer_all(redis_url, ABSENT)
        _, rest = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "The run goes on" not in rest


def asked(cli: CLI, reply: bytes) -> tuple[int, str]:
    """Collect on a terminal, and answer its question; return its exit code and what it has said."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [PRODUCER, "collect", "r"], cwd=cli.folder, env=environment(cli.settings), stdin=its, stdout=its, stderr=its
    )
    os.close(its)
    said = b""
    with ended(process), suppress(OSError):  # Linux' word for the end of a terminal
        while chunk := os.read(ours, 4096):
            said += chunk
            if b"[y/N]: " in said and reply:
                os.write(ours, reply)
                reply = b""
    os.close(ours)
    return process.wait(30), said.decode()


@pytest.mark.parametrize(
    ("reply", "ends"),
    [
        (b"n\n", f"Error: The run r is ended: {ALIKE}. Nothing is lost, 1 row is unanswered, and "),
        (b"\x04", "Error: Interrupted; the same command goes on where it stopped."),
    ],
)
def test_on_a_terminal_it_is_asked(cli: CLI, redis_url: str, reply: bytes, ends: str) -> None:
    """A no ends the run; no answer (Ctrl-C, or the end of the input) ends the command, as everywhere."""
    send(cli, redis_url, 101, failed=100)
    code, said = asked(cli, reply)
    assert code == 1
    assert f"{ALIKE} (such as row 0)." in said
    assert ends in said
    assert requests(redis_url) == [] if reply == b"n\n" else len(requests(redis_url)) == 1
