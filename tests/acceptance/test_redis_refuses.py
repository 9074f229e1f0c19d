"""Redis refuses for a while what workers and commands ask: all of them wait, and no row is lost or done twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.by_hand import read_until
from tests.support.cli import CLI
from tests.support.refusals import MISCONF, NOREPLICAS, OOM, READONLY, Refusal
from tests.support.sending import pictures, send
from tests.support.servers import RedisServer, running_redis
from tests.support.waiting import wait_until
from tests.support.workers import WorkerProcess, fork_worker
from worker.contract.outcomes import open_redis

TIMEOUT = 4
APP = "tests.support.passthrough"


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """Run a Redis that can be made to refuse."""
    with running_redis() as server:
        yield server


@pytest.fixture
def worker(server: RedisServer, gate: Path, tmp_path: Path) -> Iterator[WorkerProcess]:
    """Run a worker whose batches wait for the gate."""
    settings = {"broker_url": server.url, "visibility_timeout": TIMEOUT, "passthrough_gate": gate}
    worker = fork_worker("w0", tmp_path / "w0.log", settings, app=APP)
    yield worker
    gate.touch()
    assert worker.stop() == 0


@pytest.fixture
def cli(server: RedisServer, tmp_path: Path) -> CLI:
    """Call `producer` on that Redis."""
    return CLI(tmp_path, {"broker_url": server.url})


def said(lines: list[str], text: str) -> int:
    """Count the lines that say something."""
    return sum(text in line for line in lines)


@pytest.mark.parametrize("refusal", [READONLY, MISCONF, NOREPLICAS, OOM], ids=lambda refusal: refusal.word)
def test_a_refusal_is_waited_out(
    cli: CLI, worker: WorkerProcess, server: RedisServer, gate: Path, refusal: Refusal
) -> None:
    """Rows in hand are edited meanwhile, recorded and acknowledged after it; it is said once, and its end once."""
    client = open_redis(server.url)
    send(cli, ["Make it red."] * 12)
    wait_until(lambda: worker.logged("4 of 4 rows") and client.hlen("unacked") == 12, "the worker holds every row")
    refusal.begins(server)
    collecting = cli.begin("collect", "r")
    assert refusal.word in read_until(collecting.stderr, "refuses for now")[-1]
    gate.touch()
    wait_until(lambda: worker.logged("waits for Redis") and pictures(cli.folder), "rows are edited meanwhile")
    if refusal is not OOM:  # which takes nothing from a worker that takes rows
        wait_until(lambda: worker.logged("refuses for now"), "the worker says that it waits")
    refusal.ends(server)
    _, stderr = collecting.communicate(timeout=60)
    assert (collecting.returncode, "again, after" in stderr) == (0, True), stderr
    wait_until(lambda: client.hlen("unacked") == 0, "every row is acknowledged")
    assert said(worker.lines(), "received") == 12
    assert len(pictures(cli.folder)) == 12
    assert said(worker.lines(), "waiting for it") == said(worker.lines(), "again, after") == (refusal is not OOM)
    assert said(worker.lines(), "waits for Redis") == said(worker.lines(), "rows go on: Redis takes")
    assert not worker.logged("Traceback")
    assert not worker.logged("of pipeline caused error")  # which would quote the row


def test_workers_and_commands_begin_during_a_refusal(cli: CLI, server: RedisServer, gate: Path) -> None:
    """A worker loads its model once the refusal is over; who only looks on does not notice it."""
    gate.touch()
    send(cli, ["Make it red."])
    READONLY.begins(server)
    settings = {"broker_url": server.url, "visibility_timeout": TIMEOUT, "passthrough_gate": gate}
    worker = fork_worker("w1", cli.folder / "w1.log", settings, app=APP)
    try:
        submitting = cli.begin("submit", "in.jsonl", "--run-dir", "again")
        read_until(submitting.stderr, "refuses for now (READONLY")
        wait_until(lambda: worker.logged("refuses for now (READONLY"), "the worker waits")
        assert "1 waiting" in cli("status", "r").stdout
        assert not worker.logged("model ready")
        READONLY.ends(server)
        assert submitting.wait(60) == 0
        assert [cli("collect", run).returncode for run in ("r", "again")] == [0, 0]
    finally:
        assert worker.stop() == 0


def test_patience_ends(cli: CLI, server: RedisServer) -> None:
    """A worker and a command that may wait for a second say so, and end with an error."""
    impatient = CLI(cli.folder, {**cli.settings, "broker_patience": 1})
    send(cli, ["Make it red."])
    READONLY.begins(server)
    worker = fork_worker("w2", cli.folder / "w2.log", impatient.settings, app=APP)
    try:
        ended = impatient("cancel", "r")
        assert (ended.returncode, ended.stderr.count("\n")) == (1, 2)
        assert "all the patience there is (FLEET_BROKER_PATIENCE)" in ended.stderr
        assert worker.process.wait(30) == 1
        assert worker.logged("all the patience there is (FLEET_BROKER_PATIENCE)")
    finally:
        READONLY.ends(server)
        worker.stop()
    assert cli("cancel", "r").returncode == 0
