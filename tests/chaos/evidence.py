"""What a failure leaves to be looked at, besides the logs: the rows without an answer, and what Redis holds."""

from collections.abc import Iterator
from contextlib import suppress

import redis

from tests.chaos.fleet import Fleet
from tests.chaos.following import Following
from tests.support.cli import read_jsonl
from worker.contract.outcomes import open_redis


def write(fleet: Fleet, following: Following) -> None:
    """Write it beside the run's input."""
    rows = len(read_jsonl(following.source))
    with (following.source.parent / "evidence.txt").open("w") as file:
        for row in sorted(set(range(rows)) - following.answered.keys()):
            file.writelines(f"{line}\n" for line in _life(following.row(row), fleet))
        file.writelines(f"{line}\n" for line in _keys(fleet.server.url))


def _life(name: str, fleet: Fleet) -> Iterator[str]:
    """Tell all that the workers say of a row."""
    yield f"{name} has no answer."
    for log in fleet.logs:
        for line in log.path.read_text(errors="replace").splitlines():
            # The name's end: row 1 is no part of row 10.
            if f"{name}." in line or f"{name} " in f"{line} ":
                yield f"  {log.path.name}: {line:.200}"


def _keys(url: str) -> Iterator[str]:
    with suppress(redis.RedisError), open_redis(url, patience=0) as client:
        for key in sorted(client.scan_iter()):
            yield f"{key.decode()}: {client.type(key).decode()}, {client.ttl(key)} s, {client.memory_usage(key)} bytes"
        yield f"unacked: {client.hgetall('unacked')}"
        yield f"unacked_index: {client.zrange('unacked_index', 0, -1, withscores=True)}"
        yield f"now: {client.time()}"
