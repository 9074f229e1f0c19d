"""A worker that froze for longer than the visibility timeout, and goes on: its rows are others' by now."""

import re
import signal
from collections import Counter
from typing import Any

from redis import Redis

from tests.conftest import Start
from tests.support.by_hand import waiting
from tests.support.cli import CLI
from tests.support.sending import pictures, send
from tests.support.waiting import wait_until
from tests.support.workers import WorkerProcess
from worker.contract.outcomes import open_redis


def rows_on_gpu(worker: WorkerProcess) -> list[int]:
    """Return the rows of the batches that a worker began, in order."""
    batches = [line.partition(" rows at ")[2] for line in worker.lines() if " rows at " in line]
    return [int(row) for batch in batches for row in re.findall(r"[0-9a-f]{16}\.(\d+)", batch)]


def received(worker: WorkerProcess) -> int:
    """Count the rows that a worker was given."""
    return sum(line.endswith("received") for line in worker.lines())


def holders(redis: Redis) -> set[bytes]:
    """Return who has noted which row as its own; a worker does so a moment after it was given the row."""
    keys: Any = redis.keys("fleet:run:*:holders")
    return {note for key in keys for note in redis.hvals(key)}


def test_a_thawed_worker_lets_go_of_rows_that_others_have(cli: CLI, start_plain: Start, redis_url: str) -> None:
    """It ends the batch that was on its GPU; the rows behind it stay the other's, whose messages it leaves alone."""
    redis, gates = open_redis(redis_url), [cli.folder / "gate0", cli.folder / "gate1"]
    send(cli, ["Make it red."] * 8)
    frozen = start_plain("w0", visibility_timeout=4, passthrough_gate=gates[0])
    wait_until(lambda: rows_on_gpu(frozen) and len(holders(redis)) == 8, "the worker holds every row")
    on_gpu, before = rows_on_gpu(frozen), holders(redis)
    frozen.process.send_signal(signal.SIGSTOP)
    other = start_plain("w1", visibility_timeout=4, passthrough_gate=gates[1])
    wait_until(lambda: received(other) == 8 and not before & holders(redis), "the other has every row")
    frozen.process.send_signal(signal.SIGCONT)
    gates[0].touch()
    wait_until(lambda: sum("another worker has it" in line for line in frozen.lines()) == 4, "it lets go of four rows")
    assert rows_on_gpu(frozen)[:4] == on_gpu
    gates[1].touch()
    assert cli("collect", "r").returncode == 0
    assert len(pictures(cli.folder)) == 8
    # It has nothing to do by now, and may have asked for rows: what was not on its GPU is edited once, wherever.
    edited = Counter(rows_on_gpu(frozen) + rows_on_gpu(other))
    assert {edited[row] for row in range(8) if row not in on_gpu} == {1}
    wait_until(lambda: (waiting(redis), redis.hlen("unacked")) == (0, 0), "every message is acknowledged")


def test_rows_that_are_taken_from_a_full_redis_are_not_lost(cli: CLI, start_plain: Start, redis_url: str) -> None:
    """Redis hands out rows, and does not note in whose hands they are: the worker holds them nevertheless."""
    redis = open_redis(redis_url)
    worker = start_plain(visibility_timeout=4)
    worker.wait_until_ready()
    worker.process.send_signal(signal.SIGSTOP)
    send(cli, ["Make it red."] * 6)
    redis.config_set("maxmemory", "1")
    worker.process.send_signal(signal.SIGCONT)
    wait_until(lambda: waiting(redis) == 0, "the worker has taken every row")
    wait_until(lambda: worker.logged("Redis does not note that a row is in hand here"), "it says so")
    redis.config_set("maxmemory", "0")
    collected = cli("collect", "r")
    assert (collected.returncode, "lost" in collected.stderr) == (0, False), collected.stderr
    assert received(worker) == 6
    assert len(pictures(cli.folder)) == 6
