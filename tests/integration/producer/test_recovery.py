"""Commands that live through the end of their Redis, whatever it remembers when it is back."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import dying
from tests.support.by_hand import (
    answer,
    answer_all,
    done,
    ended,
    lose,
    outcomes,
    read_until,
    requests,
    rows_in_queue,
    write_rows,
)
from tests.support.cli import CLI, PRODUCER, read_jsonl, row, write_jsonl
from tests.support.pictures import photo
from tests.support.servers import RedisServer, running_redis
from tests.support.waiting import wait_until
from tests.support.workers import environment
from worker.contract.outcomes import open_redis


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """Run a Redis that keeps what it is told, and can be ended."""
    with running_redis() as server:
        yield server


@pytest.fixture
def five(server: RedisServer, tmp_path: Path) -> CLI:
    """Have an input of five rows."""
    cli = CLI(tmp_path, {"broker_url": server.url, "max_queued": 5})
    write_rows(cli, 5)
    return cli


def test_collecting_lives_through_a_restart_of_redis(five: CLI, server: RedisServer) -> None:
    """While Redis is away collect says so once, and goes on when it is back, with all that Redis has kept."""
    five("submit", "in.jsonl", "--run-dir", "r")
    with ended(five.begin("collect", "r")) as collecting:
        read_until(collecting.stderr, "No worker is up")
        for outage in (1, 2):
            server.kill()
            *before, line = read_until(collecting.stderr, "does not answer")
            assert [text.startswith("Redis answers again, after ") for text in before] == [True] * (outage - 1)
            assert line.startswith(f"Redis at redis+socket://{server.folder}/redis.sock does not answer (")
            assert line.endswith("); waiting for it.\n")
            server.start()
            answer(server.url, lose(server.url, 1)[0])
            wait_until(lambda: done(five.folder / "r") == outage, "the answer is collected")  # noqa: B023
            # An outage that comes before it is taken out of Redis is the same one to the collector.
            wait_until(lambda: not outcomes(server.url), "the answer is committed")
        answer_all(server.url)
        _, stderr = collecting.communicate(timeout=60)
        assert (collecting.returncode, "does not answer" in stderr) == (0, False), stderr
    assert len(read_jsonl(five.folder / "r/output.jsonl")) == 5


def test_collecting_lives_through_a_redis_that_comes_back_empty(five: CLI, server: RedisServer) -> None:
    """A Redis that forgot everything gets exactly the unanswered rows again, and collect says how many."""
    five("submit", "in.jsonl", "--run-dir", "r")
    with ended(five.begin("collect", "r")) as collecting:
        answer(server.url, lose(server.url, 1)[0])
        wait_until(lambda: done(five.folder / "r") == 1, "the answer is collected")
        server.kill()
        server.forget()
        server.start()
        read_until(collecting.stderr, "4 rows were lost by Redis and are sent again.")
        assert rows_in_queue(server.url) == [1, 2, 3, 4]
        answer_all(server.url)
        assert collecting.wait(60) == 0


def test_collecting_begins_after_the_loss(five: CLI, server: RedisServer) -> None:
    """A Redis that came back empty at the address to which rows were sent has lost them, also before collect began."""
    five("submit", "in.jsonl", "--run-dir", "r")
    open_redis(server.url).flushall()
    with ended(five.begin("collect", "r")) as collecting:
        read_until(collecting.stderr, "5 rows were lost by Redis and are sent again.")
        answer_all(server.url)
        assert collecting.wait(60) == 0


def test_submitting_waits_for_room_in_a_redis_that_comes_back_empty(five: CLI, server: RedisServer) -> None:
    """Rows that are lost while submit waits for room are sent again, so that there is room at last."""
    with ended(five.begin("submit", "in.jsonl", "--run-dir", "r", "--max-queued", 2)) as submitting:
        read_until(submitting.stderr, "No worker is up")
        server.kill()
        server.forget()
        server.start()
        read_until(submitting.stderr, "2 rows were lost by Redis and are sent again.")
        for number in range(3):
            wait_until(lambda: requests(server.url), "a row")
            assert rows_in_queue(server.url)[0] == 2 * number
            answer_all(server.url)
        assert submitting.wait(60) == 0


def test_submitting_begins_while_redis_is_away(five: CLI, server: RedisServer) -> None:
    """A Redis that ends after the command has begun is waited for, and gets every row once."""
    submitting = subprocess.Popen(
        [PRODUCER, "submit", "-", "--run-dir", "r"],
        cwd=five.folder,
        env=environment(five.settings),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with ended(submitting):
        wait_until(lambda: list(five.folder.glob("r/.run.input.*")), "the input is being read")
        server.kill()
        assert submitting.stdin is not None
        submitting.stdin.write((five.folder / "in.jsonl").read_text())
        submitting.stdin.close()
        submitting.stdin = None
        read_until(submitting.stderr, "waiting for it.")
        server.start()
        assert submitting.wait(60) == 0
    assert rows_in_queue(server.url) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("forgets", [False, True])
def test_publishing_begins_while_redis_is_away(five: CLI, server: RedisServer, *, forgets: bool) -> None:
    """Rows that cannot be published at once are published when Redis is back, each once."""
    place = "producer.collecting.collector:Collector.until"  # there is room, and nothing is published yet
    with ended(dying.held(five, "after", place, "submit", "in.jsonl", "--run-dir", "r")) as submitting:
        server.kill()
        submitting.send_signal(signal.SIGCONT)
        read_until(submitting.stderr, "waiting for it.")
        if forgets:
            server.forget()
        server.start()
        _, stderr = submitting.communicate(timeout=60)
        assert (submitting.returncode, "does not answer" in stderr) == (0, False), stderr
    assert rows_in_queue(server.url) == [0, 1, 2, 3, 4]
    answer_all(server.url)
    assert five("collect", "r").returncode == 0


def test_ctrl_c_ends_the_waiting(five: CLI, server: RedisServer) -> None:
    """A command that waits for Redis is ended as any other."""
    five("submit", "in.jsonl", "--run-dir", "r")
    with ended(five.begin("collect", "r")) as collecting:
        read_until(collecting.stderr, "No worker is up")
        server.kill()
        read_until(collecting.stderr, "waiting for it.")
        collecting.send_signal(signal.SIGINT)
        _, stderr = collecting.communicate(timeout=10)
        assert collecting.returncode == 1
        assert stderr == "Error: Interrupted; the same command goes on where it stopped.\n"


def test_a_run_whose_own_redis_ends_does_not_wait_for_it(tmp_path: Path) -> None:
    """Nobody would start the Redis of `producer run` again: it ends with a sentence, and again finishes the rows."""
    cli = CLI(tmp_path, {})
    photo("coffee", 300, 200, cli.folder / "a.png")
    write_jsonl(cli.folder / "in.jsonl", [row("a.png", "Make it red.")])
    command = ("run", "in.jsonl", "--run-dir", "r", "--steps", 1)
    process = cli.begin(*command)
    wait_until(lambda: list(cli.folder.glob("r/worker-*.log")), "the worker is starting")
    children = subprocess.run(
        ["/bin/ps", "--ppid", str(process.pid), "-o", "pid=,comm="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    (redis,) = (int(line.split()[0]) for line in children if "-server" in line)
    os.kill(redis, signal.SIGKILL)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 1
    assert stderr.splitlines()[-1] == "Error: The embedded Redis ended (exit code -9); see r/redis.log."
    assert cli(*command).returncode == 0
