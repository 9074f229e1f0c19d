"""A Redis at its `maxmemory`, which evicts nothing: rows that find no room wait for some, and none is dropped."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.by_hand import ended, finish, read_until, rows_in_queue, write_rows
from tests.support.cli import CLI
from tests.support.servers import RedisServer, running_redis

#: Bytes of room, and rows, which take more.
ROOM, ROWS = 200_000, 400


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """Run a Redis that has room for some rows."""
    with running_redis() as server:
        with server.operator() as client:
            client.config_set("maxmemory", client.info("memory")["used_memory"] + ROOM)
        yield server


def test_submit_waits_for_room(server: RedisServer, tmp_path: Path) -> None:
    """It says so once, and goes on when there is room again, with every row."""
    cli = CLI(tmp_path, {"broker_url": server.url})
    write_rows(cli, ROWS)
    with ended(cli.begin("submit", "in.jsonl", "--run-dir", "r")) as submitting:
        said = read_until(submitting.stderr, "refuses for now (OOM")[-1]
        assert "raise its maxmemory, or collect finished runs" in said
        with server.operator() as client:
            client.config_set("maxmemory", 0)
        _, stderr = submitting.communicate(timeout=60)
    assert (submitting.returncode, stderr.count("refuses")) == (0, 0), stderr
    assert f"{ROWS} rows published" in stderr
    assert sorted({*rows_in_queue(server.url)}) == [*range(ROWS)]
    finish(cli, server.url)
