"""The trial of a broker: what stands in the way is found, whatever it is, and soon."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis

from producer.local.redis import redis_server
from tests.support.place import PROJECT
from tests.support.secure import SecureRedis, running_secure_redis
from tests.support.waiting import wait_until
from tests.support.workers import environment
from worker.contract.broker_errors import Trouble, trouble
from worker.contract.broker_trial import try_broker
from worker.contract.broker_url import redis_url as normal
from worker.contract.broker_words import described
from worker.contract.outcomes import open_redis

PASSWORD = "s3cret"  # noqa: S105 - of servers that live for a test


@contextmanager
def server(folder: Path, *options: str) -> Iterator[str]:
    """Run a server on a port; yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "server.conf").touch()  # a Sentinel writes there
    command = [redis_server(), str(folder / "server.conf"), "--port", str(port), "--dir", str(folder), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port), "the server listens")
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    """Tell whether a server takes connections."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def refused(url: str) -> str:
    """Try a broker that cannot be used; return what is said of it, and see that no retries hold it up."""
    begun = time.monotonic()
    with pytest.raises(redis.RedisError) as found:
        try_broker(normal(url))
    assert time.monotonic() - begun < 30, "it was tried again and again"
    said = described(url, found.value)
    assert trouble(found.value) is Trouble.PERSON, said
    assert PASSWORD not in said
    return said


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server with a password."""
    with server(tmp_path_factory.mktemp("locked"), "--requirepass", PASSWORD) as url:
        yield url


@pytest.fixture(scope="module")
def secure() -> Iterator[SecureRedis]:
    """Run a server with TLS and users."""
    with running_secure_redis(PASSWORD) as server:
        yield server


def test_a_wrong_password_or_none_is_told(locked: str) -> None:
    """And a wrong user; with the right one there is nothing to be said."""
    try_broker(locked.replace("//", f"//:{PASSWORD}@"))
    assert "does not let in the URL's user with its password (WRONGPASS" in refused(locked.replace("//", "//:wrong@"))
    assert "does not let in the URL's user with its password (WRONGPASS" in refused(locked.replace("//", "//us:er@"))
    assert "does not let in the URL's user with its password (NOAUTH" in refused(locked)


def test_a_number_that_is_no_databases_is_told(redis_url: str) -> None:
    """Redis has sixteen, unless it is told otherwise."""
    assert "has no database of the number that the URL names" in refused(f"{redis_url}?virtual_host=99")


def test_a_cluster_is_told(tmp_path: Path) -> None:
    """Also one that is not whole, which would be waited for in vain."""
    with server(tmp_path, "--cluster-enabled", "yes") as url:
        assert "is a Redis Cluster, where the fleet needs a single Redis" in refused(url)


def test_a_sentinel_is_told(tmp_path: Path) -> None:
    """Its port is given for the server's."""
    with server(tmp_path, "--sentinel") as url:
        assert "is a Sentinel; write sentinel://" in refused(url)


def test_tls_against_a_plain_port_is_told(locked: str) -> None:
    """And does not take as long as a server that says nothing may take."""
    assert "speaks no TLS; write redis://" in refused(locked.replace("redis://", f"rediss://:{PASSWORD}@"))


def test_a_plain_connection_to_a_tls_port_is_told(secure: SecureRedis) -> None:
    """By asking for TLS, without telling the server anything."""
    url = secure.url_of("fleet", PASSWORD, scheme="redis", trusting=False)
    assert "speaks TLS; write rediss://" in refused(url)


def test_rights_that_are_missing_are_told(secure: SecureRedis) -> None:
    """And an authority that nobody knows."""
    try_broker(normal(secure.url))
    assert "does not give the URL's user the rights" in refused(secure.url_of("reader", PASSWORD))
    unknown = secure.url_of("fleet", PASSWORD, trusting=False)
    assert "shows a certificate that is not trusted" in refused(unknown)


@pytest.mark.parametrize(
    ("setting", "value", "word"),
    [("min-replicas-to-write", 1, "NOREPLICAS"), ("maxmemory", 1, "OOM"), ("replicaof", "127.0.0.1 1", "READONLY")],
)
def test_refusals_to_write_are_found(tmp_path: Path, setting: str, value: object, word: str) -> None:
    """They pass; and who only reads is not refused."""
    with server(tmp_path) as url, open_redis(url) as client:
        if setting == "replicaof":
            client.replicaof("127.0.0.1", "1")
        else:
            client.config_set(setting, str(value))
        with pytest.raises(redis.RedisError) as found:
            try_broker(url)
        assert trouble(found.value) is Trouble.PASSING
        assert word in described(url, found.value)
        try_broker(url, writing=False)


def test_nobody_there_is_away() -> None:
    """Somebody may come."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"redis://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(redis.ConnectionError) as found:
        try_broker(url)
    assert trouble(found.value) is Trouble.AWAY


def test_a_worker_says_it_before_it_loads_its_model(locked: str) -> None:
    """In one sentence, with exit code 1."""
    settings = {"broker_url": locked.replace("//", "//:wrong@"), "hf_model_name_or_path": "/no/such/folder"}
    command = [sys.executable, "-m", "celery", "-A", "worker", "worker", "-l", "INFO", "-n", "w0@%h"]
    ended = subprocess.run(
        command, cwd=PROJECT, env=environment(settings), capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "CRITICAL/MainProcess] Redis at redis://:**@127.0.0.1:" in ended.stderr
    assert "does not let in the URL's user with its password" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "/no/such/folder" not in ended.stderr
