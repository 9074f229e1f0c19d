"""A fleet whose Redis speaks TLS and knows its user by a password, which is told to nobody."""

import base64
import json
import re
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from kombu.exceptions import OperationalError

from tests.support.certificates import Certificates
from tests.support.cli import CLI, row, write_jsonl
from tests.support.monitor import monitor_celery
from tests.support.pictures import photo
from tests.support.place import PROJECT
from tests.support.secure import SecureRedis, running_secure_redis
from tests.support.waiting import wait_until
from tests.support.workers import WorkerProcess, environment, fork_worker
from worker.celery import connect
from worker.contract.outcomes import open_redis
from worker.settings.fleet import load_settings

#: Looks the same however the password around it is escaped.
CORE = "Zk4XwPq9"
PASSWORD = CORE + " @/:#?%&;+'ü"
WRONG = CORE + "-wrong"

AUTH = "someone:a-password"
APP = "tests.support.passthrough"


@dataclass(frozen=True, kw_only=True)
class Flower:
    """A Flower and what it has said."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int

    def page(self, path: str) -> str:
        """Fetch a page."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        request.add_header("Authorization", "Basic " + base64.b64encode(AUTH.encode()).decode())
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            return str(answer.read(), "utf-8")

    def up(self) -> bool:
        """Tell whether it answers."""
        assert self.process.poll() is None, self.log.read_text()
        with suppress(OSError):
            return bool(self.page("/api/tasks"))
        return False


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """A fleet that has edited a run, and every word of its producer."""

    redis: SecureRedis
    folder: Path
    worker: WorkerProcess
    flower: Flower
    words: list[str]


@pytest.fixture(scope="module")
def secure() -> Iterator[SecureRedis]:
    """Run a Redis with TLS and users."""
    with running_secure_redis(PASSWORD) as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Have an input of four rows, one of them without its picture."""
    folder = tmp_path_factory.mktemp("secure")
    names = [photo("coffee", 300, 200, folder / f"{number}.png").name for number in range(3)]
    write_jsonl(folder / "in.jsonl", [row(name, "Make it red.") for name in [*names, "absent.png"]])
    return folder


@pytest.fixture(scope="module")
def refused(secure: SecureRedis, folder: Path) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Start commands that the server, or their own caution, will stop; all at once, since some try for seconds."""
    strangers = {
        "certificate": secure.url_of("fleet", PASSWORD, trusting=False),
        "password": secure.url_of("fleet", WRONG),
        "rights": secure.url_of("reader", PASSWORD),
        "no TLS": secure.url_of("fleet", PASSWORD, scheme="redis", trusting=False),
    }
    begun = {
        f"submit: {why}": CLI(folder, {"broker_url": url}).begin("submit", "in.jsonl", "--run-dir", f"r-{why}")
        for why, url in strangers.items()
    }
    begun["status: certificate"] = CLI(folder, {"broker_url": strangers["certificate"]}).begin("status")
    yield begun
    for process in begun.values():
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def refused_workers(secure: SecureRedis, folder: Path) -> Iterator[dict[str, WorkerProcess]]:
    """Start workers that the server will not let in, or not let work."""
    urls = {"password": secure.url_of("fleet", WRONG), "rights": secure.url_of("reader", PASSWORD)}
    workers = {why: fork_worker(why, folder / f"{why}.log", {"broker_url": url}, app=APP) for why, url in urls.items()}
    yield workers
    for worker in workers.values():
        worker.stop()


@pytest.fixture(scope="module")
def fleet(secure: SecureRedis, folder: Path, refused: object, refused_workers: object) -> Iterator[Fleet]:
    """Have a worker that says all it can and a Flower; edit a run, and cancel another."""
    del refused, refused_workers  # they end meanwhile
    cli = CLI(folder, {"broker_url": secure.url})
    flower = _flower(cli)
    worker = _talkative_worker(cli)
    try:
        worker.wait_until_ready()
        wait_until(flower.up, "Flower answers")
        nobodys = ("submit", "in.jsonl", "--run-dir", "other", "--model", "FLUX-Kontext")  # no worker has this model
        commands = [("submit", "in.jsonl", "--run-dir", "run"), ("collect", "run"), ("status", "run"), ("status",)]
        ended = [cli(*command) for command in (*commands, nobodys, ("cancel", "other"))]
        assert [command.returncode for command in ended] == [0, 3, 0, 0, 0, 0], ended
        words = [word for command in ended for word in (command.stdout, command.stderr)]
        yield Fleet(redis=secure, folder=folder, worker=worker, flower=flower, words=words)
    finally:
        flower.process.terminate()
        flower.process.wait(30)
        worker.stop()


def _talkative_worker(cli: CLI) -> WorkerProcess:
    command = [sys.executable, "-m", "celery", "-A", APP, "worker", "-l", "DEBUG", "-n", "w0@%h"]
    return WorkerProcess("w0", cli.folder / "w0.log", _begin(command, cli, cli.folder / "w0.log"))


def _flower(cli: CLI) -> Flower:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ("--address=127.0.0.1", f"--port={port}", "--logging=debug")
    command = [str(monitor_celery()), "-A", "worker", "flower", *options]
    log = cli.folder / "flower.log"
    return Flower(process=_begin(command, cli, log), log=log, port=port)


def _begin(command: list[str], cli: CLI, log: Path) -> subprocess.Popen[bytes]:
    variables = {**environment(cli.settings), "FLOWER_BASIC_AUTH": AUTH}
    with log.open("wb") as output:
        return subprocess.Popen(command, env=variables, cwd=PROJECT, stdout=output, stderr=output)


def test_a_run_is_edited_with_few_rights(fleet: Fleet) -> None:
    """Producer, worker and Flower do their work over TLS, and ask for nothing that their user may not do."""
    assert any("3 rows done, 1 failed, 0 unanswered" in word for word in fleet.words)
    asked = [entry for entry in fleet.redis.inspector().acl_log() if entry["username"] == "fleet"]
    assert [entry for entry in asked if entry["reason"] != "auth"] == []


def test_flower_shows_tasks_and_queue(fleet: Fleet) -> None:
    """Flower, which has two ways of its own to the broker, goes both over TLS."""

    def ended() -> list[str]:
        states = [task["state"] for task in json.loads(fleet.flower.page("/api/tasks")).values()]
        return [state for state in states if state in {"SUCCESS", "FAILURE"}]

    wait_until(lambda: len(ended()) == 4, "Flower has seen the end of every row")
    assert Counter(ended()) == {"SUCCESS": 3, "FAILURE": 1}
    queues = json.loads(fleet.flower.page("/api/queues/length"))["active_queues"]
    assert {queue["messages"] for queue in queues} == {0}
    assert f"rediss://fleet:**@localhost:{fleet.redis.port}/0" in fleet.flower.page("/broker")


def test_the_password_is_nowhere(fleet: Fleet) -> None:
    """No word of producer, worker and Flower holds the password, no page, no file, no key, and no command line."""
    name = next(iter(json.loads(fleet.flower.page("/api/workers?refresh=1"))))
    task = next(iter(json.loads(fleet.flower.page("/api/tasks"))))
    paths = ("/", "/workers", "/tasks", "/broker", "/metrics", f"/worker/{name}", f"/task/{task}", "/api/tasks")
    paths += ("/api/workers?refresh=1", "/api/queues/length", f"/api/task/info/{task}")
    pages = {path: fleet.flower.page(path) for path in paths}
    assert "broker_url" in pages[f"/worker/{name}"]
    assert holding(pages.items()) == []
    assert holding(enumerate(fleet.words)) == []
    running = [fleet.worker.process, fleet.flower.process, fleet.redis.process]
    lines = {process.pid: Path(f"/proc/{process.pid}/cmdline").read_text() for process in running if process}
    assert all("redis" in line or "celery" in line for line in lines.values())
    assert holding(lines.items()) == []
    # The logs, the run folders with their ledgers, and in Redis' folder every command that has written something.
    files = [path for folder in (fleet.folder, fleet.redis.folder) for path in folder.rglob("*") if path.is_file()]
    assert {"w0.log", "flower.log", "run.sqlite", "output.jsonl"} <= {path.name for path in files}
    assert any("appendonly" in path.name and path.stat().st_size for path in files)
    assert holding((path, path.read_bytes()) for path in files) == []


def holding(texts: Iterable[tuple[object, str | bytes]]) -> list[object]:
    """Return the names of the texts that hold the password, in whatever way, also in what a message's body says."""
    found: list[object] = []
    for name, text in texts:
        data = text.encode() if isinstance(text, str) else text
        bodies = [body for body in re.findall(rb"[A-Za-z0-9+/]{40,}", data) if len(body) % 4 != 1]
        if any(CORE.encode() in part for part in (data, *(base64.b64decode(body + b"==") for body in bodies))):
            found.append(name)
    return found


def test_the_search_finds_what_it_looks_for() -> None:
    """The search before this one would find the password as it is, in a URL, and in a message's body."""
    url = SecureRedis(Path(), port=1, certificates=Certificates(Path()), password=PASSWORD).url
    body = base64.b64encode(json.dumps([url, {}, "more of it"]).encode())
    assert holding({1: PASSWORD, 2: url, 3: body, 4: "harmless" * 9}.items()) == [1, 2, 3]


def by_redis_py(url: str) -> None:
    """Connect as the producer and the workers do it themselves."""
    open_redis(load_settings(broker_url=url).broker, patience=-4).ping()


def by_kombu(url: str) -> None:
    """Connect as Celery does it for them."""
    with connect(load_settings(broker_url=url)).connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)


@pytest.mark.parametrize("knock", [by_redis_py, by_kombu])
def test_a_certificate_is_verified_whoever_asks(secure: SecureRedis, knock: Callable[[str], None]) -> None:
    """Its authority must be known, and the server's name be its own; only who asks for it takes any certificate."""
    knock(secure.url)
    knock(secure.url.replace("localhost", "127.0.0.2") + "&ssl_check_hostname=false")
    unknown = secure.url_of("fleet", PASSWORD, trusting=False)
    knock(unknown + "?ssl_cert_reqs=none")
    for url in (unknown, secure.url.replace("localhost", "127.0.0.2")):
        with pytest.raises((redis.ConnectionError, OperationalError), match="certificate verify failed"):
            knock(url)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("submit: certificate", "certificate verify failed"),
        ("status: certificate", "certificate verify failed"),  # over kombu, which would trust anybody by itself
        ("submit: password", "invalid username-password pair"),
        ("submit: rights", r"no permissions to run the '\w+' command"),
        ("submit: no TLS", "speaks TLS; write rediss://"),
    ],
)
def test_who_is_refused_is_told_why(refused: dict[str, subprocess.Popen[str]], command: str, sentence: str) -> None:
    """A broker that cannot be trusted, or does not trust, is one sentence without a password, and exit code 1."""
    stdout, stderr = refused[command].communicate(timeout=60)
    assert (refused[command].returncode, stdout) == (1, "")
    assert re.fullmatch(rf"Error: Redis at \S+ .*({sentence}).*\.\n", stderr)
    assert holding([(command, stderr)]) == []


@pytest.mark.parametrize(
    ("why", "sentence"),
    [("password", "invalid username-password pair"), ("rights", "this user has no permissions to run the")],
)
def test_a_worker_that_is_refused_ends(refused_workers: dict[str, WorkerProcess], why: str, sentence: str) -> None:
    """It says why, and ends with an error, before it has loaded its model."""
    worker = refused_workers[why]
    assert worker.process.wait(60) == 1
    assert worker.logged(sentence)
    assert not worker.logged("Traceback")
    assert not worker.logged("model ready")
    assert holding([("log", worker.log.read_bytes())]) == []
