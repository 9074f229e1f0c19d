"""`producer drain`: workers end, with everything done that they had taken, and nothing else."""

import socket
from pathlib import Path

from tests.conftest import Start
from tests.support.cli import CLI, row, write_jsonl
from tests.support.edited import RED, plain
from tests.support.waiting import wait_until
from worker.contract.outcomes import open_redis


def named(worker: str) -> str:
    """Return a worker's whole name."""
    return f"{worker}@{socket.gethostname()}"


def submit(cli: CLI, rows: int) -> None:
    """Send rows."""
    name = plain(cli.folder / "a.png", RED)
    write_jsonl(cli.folder / "in.jsonl", [row(name, f"x {number}") for number in range(rows)])
    assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0


def test_a_drained_worker_finishes_what_it_has_and_ends(
    cli: CLI, start_plain: Start, gate: Path, redis_url: str
) -> None:
    """Rows in hand are all answered, those in the queue stay there, and none is given back; it ends with 0."""
    submit(cli, 12)
    worker = start_plain(passthrough_gate=gate, rows_in_flight=8)
    redis = open_redis(redis_url)
    wait_until(lambda: redis.hlen("unacked") == 8, "the worker has its hands full")
    asked = cli("drain", named("w0"), "--no-wait")
    assert (asked.returncode, asked.stderr) == (0, f"{named('w0')} takes no more rows, and finishes 8 in hand.\n")
    assert "drains" in cli("status").stdout
    assert worker.process.poll() is None
    gate.touch()
    assert worker.process.wait(60) == 0
    (stream,) = redis.keys("fleet:run:*:outcomes")
    assert (redis.xlen(stream), redis.hlen("unacked")) == (8, 0)
    assert cli("queue-length", "demo").stdout == "4\n"


def test_all_are_drained_and_waited_for(cli: CLI, start_plain: Start) -> None:
    """The command returns once both have ended, and says so of each; asked again there is nobody."""
    workers = [start_plain(name) for name in ("w0", "w1")]
    for worker in workers:
        worker.wait_until_ready()
    drained = cli("drain", "--all")
    assert drained.returncode == 0, drained.stderr
    for worker in workers:
        assert f"{named(worker.name)} takes no more rows, and finishes 0 in hand.\n" in drained.stderr
        assert f"{named(worker.name)} has ended.\n" in drained.stderr
        assert worker.process.wait(10) == 0
    again = cli("drain", "--all")
    assert again.returncode == 1
    assert again.stderr.startswith("Error: No worker answers at redis")


def test_who_is_not_there_is_named_and_nobody_is_drained(cli: CLI, start_plain: Start) -> None:
    """One wrong name among good ones is one sentence with the right ones, and changes nothing; none at all is 2."""
    worker = start_plain()
    worker.wait_until_ready()
    wrong = cli("drain", named("w0"), "w9@nowhere")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("Error: w9@nowhere: no such worker answers at redis")
    assert wrong.stderr.endswith(f", and none is drained; up are {named('w0')}.\n")
    assert cli("drain").returncode == 2
    nowhere = cli("drain", "--all", "--broker", "redis://127.0.0.1:1/0")
    assert nowhere.returncode == 1
    assert nowhere.stderr == (
        "Error: Redis at redis://127.0.0.1:1/0 does not answer (Connection refused); start it, or name another with"
        " --broker.\n"
    )
    assert not worker.logged("draining")
