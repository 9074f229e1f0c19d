"""What a queued row costs Redis, and what its run leaves there beside it."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import redis

from tests.support.by_hand import LANE, answer_all, queues_of, requests, write_rows
from tests.support.cli import CLI, row, write_jsonl
from tests.support.place import PROJECT
from worker.contract.outcomes import open_redis
from worker.contract.redis_keys import KEPT, KEPT_FINISHED

#: Bytes of Redis' memory that a queued row may take, whatever its folder, as long as that is of a usual length.
MOST = 900

#: Of a path, as people have it: 60 characters to the input's folder.
USUAL = 60


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    """Connect to this test's Redis."""
    return open_redis(redis_url)


@pytest.fixture
def usual(redis_url: str) -> Iterator[CLI]:
    """Call `producer` in a folder with a path of the usual length, which that of a test's own is not always."""
    with TemporaryDirectory(prefix="fleet-") as made:
        folder = Path(made) / "d".ljust(USUAL - len(made) - 1, "d")
        folder.mkdir()
        yield CLI(folder, {"broker_url": redis_url})


def submit_examples(cli: CLI, rows: int, *options: object) -> None:
    """Submit the examples' rows, over and over again, into the run's default folder."""
    examples = (PROJECT / "examples/edits.jsonl").read_text().splitlines()
    write_jsonl(cli.folder / "edits.jsonl", [examples[number % len(examples)] for number in range(rows)])
    done = cli("submit", "edits.jsonl", *options)
    assert done.returncode == 0, done.stderr


def shared(client: redis.Redis) -> dict[bytes, Any]:
    """Return the shared parts of the only run, by their digests."""
    (key,) = client.keys("fleet:run:*:shared")
    found: Any = client.hgetall(key)
    return {digest: json.loads(part) for digest, part in found.items()}


def test_a_queued_row_takes_no_more_than_900_bytes(usual: CLI, client: redis.Redis) -> None:
    """Of Redis' memory, by what it says itself, with all that the run has there; and so the largest message."""
    submit_examples(usual, 1)  # what there is once: the queue, the run's keys, the buffers of this connection
    before = client.info("memory")["used_memory"]
    submit_examples(usual, 2001)
    assert (client.info("memory")["used_memory"] - before) / 2000 <= MOST
    (queue,) = queues_of(client)
    messages: Any = client.lrange(queue, 0, -1)
    assert len(messages) == 2001
    assert max(map(len, messages)) <= MOST


def test_what_rows_share_is_there_once(usual: CLI, client: redis.Redis) -> None:
    """No message names the run's folder but for Flower, nor any parameter that is the run's."""
    submit_examples(usual, 10)
    (part,) = shared(client).values()
    assert (part["output_dir"], part["steps"], part["size"]) == (
        f"{usual.folder}/cache_local/image_edit_local/edits", 8, "auto",
    )  # fmt: skip
    (queue,) = queues_of(client)
    bodies = [json.loads(json.loads(raw)["body"])[0][0] for raw in client.lrange(queue, 0, -1)]
    assert {body["images"][0][:7] for body in bodies} == {"photos/"}
    assert [body["own"] for body in bodies if "own" in body] == [
        {"size": "input"}
    ]  # the row with parameters of its own


def test_other_options_are_another_part(cli: CLI, client: redis.Redis, redis_url: str) -> None:
    """Rows that were sent before keep theirs, and those that are sent now have the new one."""
    write_rows(cli, 2)
    assert cli("submit", "in.jsonl", "--run-dir", "r", "--details").returncode == 0
    write_rows(cli, 4)
    assert cli("submit", "in.jsonl", "--run-dir", "r", "--long-instruction", "error").returncode == 0
    assert len(shared(client)) == 2
    assert [request.long_instruction for request in requests(redis_url)] == ["warn", "warn", "error", "error"]


def test_it_is_kept_as_long_as_its_run(cli: CLI, client: redis.Redis, redis_url: str) -> None:
    """A month after somebody has touched it, and a day after its end; the same `retry` publishes it again."""
    write_rows(cli, 3)
    cli("submit", "in.jsonl", "--run-dir", "r")
    (key,) = client.keys("fleet:run:*:shared")
    assert KEPT - 60 < client.ttl(key) <= KEPT
    answer_all(redis_url, error="No such file.")
    assert cli("collect", "r").returncode == 3
    assert KEPT_FINISHED - 60 < client.ttl(key) <= KEPT_FINISHED
    client.delete(key)
    assert cli("retry", "r").returncode == 0
    assert KEPT - 60 < client.ttl(key) <= KEPT
    assert len(requests(redis_url)) == 3


def published(client: redis.Redis) -> int:
    """Count the commands by which rows came into queues."""
    facts: Any = client.info("commandstats")
    return int(facts["cmdstat_lpush"]["calls"])


def test_a_thousand_rows_are_one_command(cli: CLI, client: redis.Redis) -> None:
    """So that Redis has all of them, or none: a full one takes no part of them twice."""
    submit_examples(cli, 1000)
    assert published(client) == 1


def test_rows_with_pictures_are_sent_by_the_megabyte(cli: CLI, client: redis.Redis, redis_url: str) -> None:
    """Neither a command nor the producer's memory holds a thousand of them."""
    picture = base64.b64encode(b"\x89PNG" + bytes(600_000)).decode()
    write_jsonl(cli.folder / "in.jsonl", [row(f"data:image/png;base64,{picture}", "Make it red.") for _ in range(5)])
    assert cli("submit", "in.jsonl", "--run-dir", "r").returncode == 0
    assert published(client) == 3
    assert [request.row for request in requests(redis_url)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("version", [4, 7])
def test_earlier_versions_have_their_queues_named(cli: CLI, client: redis.Redis, version: int) -> None:
    """They had one for each run, and a list of them; no worker of this version takes what is there."""
    lane, runs = LANE.replace(".v8.", f".v{version}."), ["0" * 16, "1" * 16]
    for run in runs:
        client.hset(f"fleet:runs:{lane}", run, "5 0")
        client.lpush(f"{lane}.{run}", "row", "row")
    write_rows(cli, 1)
    said = cli("submit", "in.jsonl", "--run-dir", "r").stderr
    assert said.startswith(
        f"4 rows wait in {lane}.<run>, where an earlier version sent them and no worker of this one looks"
    )
    assert client.llen(f"{lane}.{runs[0]}") == 2, "and nothing of it was touched"
