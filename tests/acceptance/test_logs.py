"""What a real worker says, in either form: one line for what matters, and no password."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from producer.local.redis import redis_server
from tests.support.cli import CLI, read_jsonl, row, write_jsonl
from tests.support.sending import send
from tests.support.servers import RedisServer, free_port
from tests.support.workers import WorkerProcess, fork_worker

PASSWORD = "a-password-that-nobody-sees"  # noqa: S105 - that is what is tested


@dataclass(kw_only=True)
class GuardedRedis(RedisServer):
    """A server that asks for a password."""

    @property
    def url(self) -> str:
        """The broker's URL."""
        return f"redis://:{PASSWORD}@127.0.0.1:{self.replication_port}/0"


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """Run a Redis that asks for a password; return its URL."""
    with TemporaryDirectory(prefix="fleet-redis-") as folder:
        command = [redis_server(), "--requirepass", PASSWORD]
        server = GuardedRedis(folder=Path(folder), command=command, replication_port=free_port())
        server.start()
        try:
            yield server.url
        finally:
            server.kill()


def edited(form: str, guarded: str, tmp_path: Path) -> WorkerProcess:
    """Have a worker edit five rows, of which one is no picture, and end."""
    settings = {"broker_url": guarded, "log_format": form, "log_rows": False}
    cli = CLI(tmp_path, settings)
    (tmp_path / "none.png").write_text("no picture")
    send(cli, ["Make it red."] * 5, images=["a.png", "b.png", "c.png", "d.png", "none.png"])
    started = fork_worker("w0", tmp_path / "w0.log", settings, app="tests.support.passthrough")
    try:
        assert cli("collect", "r").returncode == 3
    finally:
        assert started.stop() == 0
    return started


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_log_has_a_line_for_what_matters(form: str, guarded: str, tmp_path: Path) -> None:
    """Who begins, the start, the connection; each micro-batch and each row that fails; the end. No banner, no row."""
    worker = edited(form, guarded, tmp_path)
    texts = [text_of(line) for line in worker.lines() if line]
    assert texts[0].startswith("w0@")
    assert "takes rows of demo, 27 at a time, from fleet." in texts[0]
    batches = [text for text in texts if text.startswith("micro-batch ")]
    assert sum(len(text.rpartition(": ")[2].split()) for text in batches) == 4
    assert sum(" failed: image " in text and "none.png" in text for text in texts) == 1
    assert not [text for text in texts if text.startswith("Task ") or "superuser" in text]
    assert PASSWORD not in worker.log.read_text()
    if form == "json":
        require_fields(worker)


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_signature_is_logged(form: str, guarded: str, tmp_path: Path) -> None:
    """A worker that says all it can follows a row, and shows the URL of its image without what signs it."""
    settings = {"broker_url": guarded, "log_format": form, "log_rows": True, "allow_urls": "localhost"}
    cli = CLI(tmp_path, settings)
    signed = "https://localhost/a.png?X-Amz-Signature=geheim"
    write_jsonl(tmp_path / "in.jsonl", [row(signed, "Make it red.")])
    worker = fork_worker("w0", tmp_path / "w0.log", settings, app="tests.support.passthrough", level="DEBUG")
    try:
        assert cli("submit", "in.jsonl", "--run-dir", "r", "--allow-urls", "localhost").returncode == 0
        assert cli("collect", "r").returncode == 3
    finally:
        assert worker.stop() == 0
    assert worker.logged("DEBUG")
    assert worker.logged("image https://localhost/a.png: ")
    assert not worker.logged("geheim")
    assert "geheim" not in read_jsonl(tmp_path / "r/output.jsonl")[0]["error"]


def text_of(line: str) -> str:
    """Return what a line says, in whichever form."""
    if line.startswith("{"):
        return str(json.loads(line)["message"])
    return line.partition("] ")[2] or line


def require_fields(worker: WorkerProcess) -> None:
    """Require of each line that what it says stands in fields, too, so that nobody takes texts apart."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in worker.lines()]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    events = Counter(line.get("event") for line in lines)
    assert events["row-failed"] == 1
    (failed,) = (line for line in lines if line.get("event") == "row-failed")
    assert (failed["level"], failed["row"], failed["kind"]) == ("WARNING", 4, "row")
    assert failed["error"] in failed["message"]
    batches = [line for line in lines if line.get("event") == "micro-batch"]
    assert sum(len(line["rows"]) for line in batches) == 4
    assert all(line["limit"] == 4 and line["seconds"] >= 0 for line in batches)
