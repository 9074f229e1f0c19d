"""Redis goes and comes back while a worker holds rows: none is lost, and none is delivered to anybody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.support.by_hand import waiting
from tests.support.cli import CLI
from tests.support.sending import pictures, send
from tests.support.servers import RedisServer, running_redis
from tests.support.waiting import wait_until
from tests.support.workers import WorkerProcess, fork_worker
from worker.contract.outcomes import open_redis

TIMEOUT = 4


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """Run a Redis that can go and come back."""
    with running_redis() as server:
        yield server


@pytest.fixture
def worker(server: RedisServer, gate: Path, tmp_path: Path) -> Iterator[WorkerProcess]:
    """Run a worker whose batches wait for the gate."""
    settings = {"broker_url": server.url, "visibility_timeout": TIMEOUT, "passthrough_gate": gate}
    worker = fork_worker("w0", tmp_path / "w0.log", settings, app="tests.support.passthrough")
    yield worker
    gate.touch()
    worker.stop()


@pytest.fixture
def cli(server: RedisServer, tmp_path: Path) -> CLI:
    """Call `producer` on that Redis."""
    return CLI(tmp_path, {"broker_url": server.url})


def received(worker: WorkerProcess) -> int:
    """Count the rows that a worker was given."""
    return sum(line.endswith("received") for line in worker.lines())


def oldest(client: redis.Redis) -> float:
    """Return when the visibility of the rows in hand was renewed last, in Redis' seconds; 0 where there are none."""
    scores: list[tuple[bytes, float]] = client.zrange("unacked_index", 0, 0, withscores=True)
    return scores[0][1] if scores else 0.0


def hold(cli: CLI, worker: WorkerProcess, client: redis.Redis, rows: int = 12) -> None:
    """Give a worker rows that it keeps, the first four on its GPU."""
    send(cli, ["Make it red."] * rows)
    wait_until(lambda: worker.logged("4 of 4 rows") and client.hlen("unacked") == rows, "the worker holds every row")


def test_a_restart_of_redis_costs_nothing(cli: CLI, worker: WorkerProcess, server: RedisServer, gate: Path) -> None:
    """Rows stay in hand past their visibility timeout, are acknowledged over the new connection, and done once."""
    client = open_redis(server.url)
    hold(cli, worker, client)
    before = oldest(client)
    server.kill()
    wait_until(lambda: worker.logged("does not answer"), "the worker misses Redis")
    server.start()
    wait_until(lambda: oldest(client) > before + 2 * TIMEOUT, "two timeouts have passed, and rows were renewed")
    assert (waiting(client), client.hlen("unacked")) == (0, 12)
    gate.touch()
    collected = cli("collect", "r")
    assert collected.returncode == 0, collected.stderr
    wait_until(lambda: client.hlen("unacked") == 0, "every row is acknowledged")
    assert received(worker) == 12
    assert len(pictures(cli.folder)) == 12


def test_a_worker_that_lost_its_connection_gives_rows_back_at_sigterm(
    cli: CLI, worker: WorkerProcess, server: RedisServer, gate: Path
) -> None:
    """What came by the old connection goes back by the new one."""
    client = open_redis(server.url)
    hold(cli, worker, client)
    before = oldest(client)
    server.kill()
    server.start()
    wait_until(lambda: oldest(client) > before, "the worker is connected again")
    worker.process.terminate()
    wait_until(lambda: waiting(client) == 8, "the waiting rows are back in the queue")
    gate.touch()
    assert worker.process.wait(60) == 0
    assert (waiting(client), client.hlen("unacked")) == (8, 0)


def test_outcomes_wait_for_redis(cli: CLI, worker: WorkerProcess, server: RedisServer, gate: Path) -> None:
    """Rows that are done while Redis is away are recorded once it is back, and acknowledged."""
    client = open_redis(server.url)
    hold(cli, worker, client, rows=4)
    server.kill()
    gate.touch()
    wait_until(lambda: len(pictures(cli.folder)) == 4, "every picture is made")
    server.start()
    collected = cli("collect", "r")
    assert collected.returncode == 0, collected.stderr
    wait_until(lambda: client.hlen("unacked") == 0, "every row is acknowledged")
    assert received(worker) == 4


def test_a_worker_is_stopped_while_redis_is_away(
    cli: CLI, worker: WorkerProcess, server: RedisServer, gate: Path
) -> None:
    """It ends in order, with a line for each row that it could not give back, and nothing of a library's."""
    hold(cli, worker, open_redis(server.url), rows=4)
    server.kill()
    wait_until(lambda: worker.logged("does not answer"), "the worker misses Redis")
    worker.process.terminate()
    gate.touch()
    assert worker.process.wait(60) == 0
    assert not worker.logged("Traceback")
    assert not worker.logged("rows go on")
    server.start()
    assert open_redis(server.url).hlen("unacked") == 4  # for the next worker, once nobody renews them
