"""A worker's part, played by hand: rows are looked at in the queue, taken, lost and answered one by one."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import redis
from kombu.simple import SimpleQueue

from producer.run.ledger import LEDGER, Ledger
from producer.run.records import State
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from worker.celery import connect, plain_queue
from worker.contract.envelope import argument_of
from worker.contract.lanes import lane_and_run, run_queue
from worker.contract.messages import EditRequest, Outcome, queue_name
from worker.contract.outcomes import OutcomeStream, open_redis
from worker.contract.shared_parts import SharedParts
from worker.contract.sharing import OwnPart, SharedPart
from worker.settings.fleet import load_settings

#: What the queues of the demo model's runs begin with.
LANE = queue_name("demo")


def write_rows(cli: CLI, rows: int, name: str = "in.jsonl") -> None:
    """Write an input of good rows."""
    write_jsonl(cli.folder / name, [row(f"{number}.png", "Make it red.") for number in range(rows)])


def queues_of(client: redis.Redis, lane: str = LANE) -> list[str]:
    """Name the queues of a lane that hold anything, by the ids of their runs."""
    keys: Any = client.keys(f"{lane}.*")
    found = [key.decode() for key in keys]
    return sorted(key for key in found if (lane_and_run(key) or ("", ""))[0] == lane)


def waiting(client: redis.Redis, lane: str = LANE) -> int:
    """Count the rows that wait, of every run."""
    lengths: Any = [client.llen(queue) for queue in queues_of(client, lane)]
    return sum(lengths)


def requests(redis_url: str, lane: str = LANE) -> list[EditRequest]:
    """Return the requests in the queues of a lane, run by run, oldest first."""
    client = open_redis(redis_url)
    raws: Any = [raw for queue in queues_of(client, lane) for raw in reversed(client.lrange(queue, 0, -1))]
    return [joined(client, raw) for raw in raws]


def joined(client: redis.Redis, raw: bytes) -> EditRequest:
    """Return the request of a message in a queue, as a worker does."""
    own = OwnPart.read(argument_of(json.loads(raw)))
    return own.joined(SharedPart.decode(SharedParts(client, own.run).get(own.shared) or ""))


def rows_in_queue(redis_url: str) -> list[int]:
    """Return the numbers of the rows in the only run's queue, oldest first."""
    return [request.row for request in requests(redis_url)]


def lose(redis_url: str, messages: int) -> list[EditRequest]:
    """Pop messages as a worker does that dies in the next moment; return what they asked for."""
    client, lost = open_redis(redis_url), requests(redis_url)[:messages]
    for request in lost:
        client.rpop(run_queue(LANE, request.run))
    return lost


@contextmanager
def in_hand(redis_url: str, messages: int, queue: str | None = None) -> Iterator[None]:
    """Hold messages as a worker does that is at work on them, and give them back at the end; of the only run."""
    app = connect(load_settings(broker_url=redis_url, diffuser_model_name="demo"))
    if queue is None:
        (queue,) = queues_of(open_redis(redis_url))
    with app.connection_for_read() as connection, SimpleQueue(connection, plain_queue(queue)) as simple:
        for _ in range(messages):
            simple.get(timeout=10)
        yield


def answer(redis_url: str, request: EditRequest, error: str | None = None) -> None:
    """Record an outcome as a worker does."""
    _record(open_redis(redis_url), request, error)


def _record(client: redis.Redis, request: EditRequest, error: str | None) -> None:
    outcome = Outcome(
        run=request.run,
        row=request.row,
        fingerprint=request.fingerprint,
        status="done" if error is None else "failed",
        paths=(f"sample_{request.row}/sample_{request.row}_0.png",) if error is None else (),
        error=error,
        worker="w",
    )
    OutcomeStream(client, request.run).append(outcome)


def answer_all(redis_url: str, error: str | None = None) -> None:
    """Take every message that is in the queue now, and answer it."""
    client = open_redis(redis_url)
    for request in lose(redis_url, len(requests(redis_url))):
        _record(client, request, error)


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """End a command with its test: one whose Redis is gone would wait for ever."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(stream: IO[str] | None, text: str) -> list[str]:
    """Read lines until one holds the text; return them all."""
    assert stream is not None
    lines: list[str] = []
    while not lines or text not in lines[-1]:
        lines.append(stream.readline())
        assert lines[-1], f"the end came before {text!r}: {lines}"
    return lines


def outcomes(redis_url: str) -> int:
    """Count the outcomes that no collector has committed."""
    client = open_redis(redis_url)
    return sum(client.xlen(key) for key in client.keys("fleet:run:*:outcomes"))


def done(folder: Path) -> int:
    """Return how many rows of a run are done, as its ledger has it."""
    with Ledger(folder, read_only=True) as ledger:
        return ledger.states()[State.DONE]


def require_sound(folder: Path) -> None:
    """Make sure that a run's ledger is whole."""
    with sqlite3.connect(folder / LEDGER) as ledger:
        assert ledger.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def finish(cli: CLI, redis_url: str) -> None:
    """Answer what is in the queue, collect it, and make sure that nothing is missing or half written."""
    answer_all(redis_url)
    collected = cli("collect", "r")
    assert collected.returncode == 0, collected.stderr
    require_sound(cli.folder / "r")
    made = read_jsonl(cli.folder / "r/output.jsonl")
    assert [fields["output_image"] for fields in made] == [
        [f"./r/sample_{number}/sample_{number}_0.png"] for number in range(len(made))
    ]
    assert sorted(path.name for path in cli.folder.glob("r/*output*")) == ["output.jsonl"]
    assert not list(cli.folder.glob("r/.*.tmp"))
