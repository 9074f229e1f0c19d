"""What a real Redis that refuses quotes of a row, and what is said of it: never the row."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis

from producer.local.redis import redis_server
from tests.support.cli import CLI, row, write_jsonl
from tests.support.servers import RedisServer
from worker.contract.broker_words import described, reason, what_helps
from worker.contract.outcomes import open_redis

#: A row's own words, which nobody else is to read.
SECRET = "my diary"  # noqa: S105 - of a test


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """Run a Redis that has no LPUSH, as some hosted ones lack commands."""
    with TemporaryDirectory(prefix="fleet-redis-") as folder:
        server = RedisServer(Path(folder), command=[redis_server(), "--rename-command", "LPUSH", ""])
        server.start()
        try:
            yield server
        finally:
            server.kill()


def refused(server: RedisServer, command: str, *arguments: object) -> redis.ResponseError:
    """Return what a pipeline's command raises."""
    with open_redis(server.url) as client, client.pipeline(transaction=True) as pipe:
        pipe.execute_command(command, *arguments)  # type: ignore[no-untyped-call]
        with pytest.raises(redis.ResponseError) as found:
            pipe.execute()
    return found.value


def test_an_unknown_command_is_named_without_its_arguments(server: RedisServer) -> None:
    """Redis quotes what came with it, and its client quotes it once more."""
    error = refused(server, "LPUSH", "queue", f"Edit {SECRET}")
    assert str(error).count(SECRET) == 2
    assert reason(error) == "unknown command 'LPUSH'"
    assert described(server.url, error) == f"Redis at {server.url} refuses (unknown command 'LPUSH')"


def test_a_full_redis_says_what_helps_and_not_what_it_was_sent(server: RedisServer) -> None:
    """Its client quotes the outcome of a row."""
    with server.operator() as client:
        client.config_set("maxmemory", "1")
    error = refused(server, "XADD", "outcomes", "*", "outcome", f"Edit {SECRET}")
    assert SECRET in str(error)
    assert SECRET not in described(server.url, error)
    assert what_helps(error) == "raise its maxmemory, or collect finished runs"


def test_who_only_looks_loses_nothing(tmp_path: Path) -> None:
    """And need not be told so."""
    away = f"redis+socket://{tmp_path}/none.sock"
    for command in ("status", "runs"):
        done = CLI(tmp_path, {})(command, "--broker", away)
        assert (done.returncode, done.stdout) == (1, "")
        said = f"Error: Redis at {away} does not answer (No such file or directory); start it, or name another with"
        assert done.stderr == f"{said} --broker.\n"


def test_a_command_says_no_word_of_its_rows(server: RedisServer, tmp_path: Path) -> None:
    """One sentence with the way out, however long a row is."""
    write_jsonl(tmp_path / "in.jsonl", [row("data:image/png;base64," + 50_000 * "QUJD", f"Edit {SECRET}")])
    done = CLI(tmp_path, {"broker_url": server.url})("submit", "in.jsonl", "--run-dir", "r")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Plan: 1 row to edit (1 new).\n"
        f"Error: Redis at {server.url} refuses (unknown command 'LPUSH'); mend that, or name another with --broker."
        " Nothing is lost: the same command goes on where it stopped.\n"
    )
