"""A master dies and its Sentinel names another: worker and command go over to it, and nothing is lost or doubled."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import CLI
from tests.support.sending import pictures, send
from tests.support.sentinel import MASTER, Watched, running_sentinel
from tests.support.waiting import wait_until
from tests.support.workers import WorkerProcess, fork_worker
from worker.contract.broker_errors import Trouble, trouble
from worker.contract.broker_trial import try_broker
from worker.contract.broker_words import described
from worker.contract.outcomes import open_redis

ROWS = 12


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    """Run a master, its replica, and a Sentinel."""
    with running_sentinel() as watched:
        yield watched


@pytest.fixture
def cli(watched: Watched, tmp_path: Path) -> CLI:
    """Call `producer` with the Sentinels' URL."""
    return CLI(tmp_path, {"broker_url": watched.url})


@pytest.fixture
def worker(watched: Watched, gate: Path, tmp_path: Path) -> Iterator[WorkerProcess]:
    """Run a worker whose batches wait for the gate."""
    settings = {"broker_url": watched.url, "visibility_timeout": 8, "passthrough_gate": gate}
    worker = fork_worker("w0", tmp_path / "w0.log", settings, app="tests.support.passthrough")
    yield worker
    gate.touch()
    assert worker.stop() == 0


def test_a_name_that_no_sentinel_knows_is_told(watched: Watched) -> None:
    """With those that it knows."""
    url = watched.url.replace(MASTER, "another")
    with pytest.raises(Exception, match="has Sentinels that know no master another; they know fleet-master") as found:
        try_broker(url)
    assert trouble(found.value) is Trouble.PERSON
    assert described(url, found.value).startswith("Redis at sentinel://127.0.0.1:1;sentinel://127.0.0.1:")


def test_a_failover_loses_and_doubles_nothing(cli: CLI, worker: WorkerProcess, watched: Watched, gate: Path) -> None:
    """Rows in hand, some on the GPU, are taken over to the new master, and recorded there; so are those that wait."""
    send(cli, ["Make it red."] * ROWS)
    client = open_redis(watched.url)
    wait_until(lambda: worker.logged("4 of 4 rows") and client.hlen("unacked") == ROWS, "the worker holds every row")
    assert len(json.loads(cli("status", "--json").stdout)) == 1  # a worker answers, over both clients
    collecting = cli.begin("collect", "r")
    watched.fail_over()
    gate.touch()
    _, stderr = collecting.communicate(timeout=60)
    assert collecting.returncode == 0, stderr
    wait_until(lambda: client.hlen("unacked") == 0, "every row is acknowledged at the new master")
    assert sum(line.endswith("received") for line in worker.lines()) == ROWS
    assert len(pictures(cli.folder)) == ROWS
    send(cli, ["Make it blue."] * ROWS)  # and on it goes
    assert cli("collect", "r").returncode == 0
    assert not worker.logged("Traceback")
