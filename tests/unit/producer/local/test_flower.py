"""Flower, for one run: started, announced, and gone with it."""

import socket
import sys
import urllib.request
from pathlib import Path

import pytest

from producer.local.flower import Flower, require_flower
from producer.local.redis import running
from worker.contract.errors import RunError
from worker.settings.fleet import load_settings


def test_it_answers_where_it_says(tmp_path: Path) -> None:
    """It is said once, when the page is there, and nobody answers there afterwards."""
    said: list[str] = []
    with running(tmp_path) as redis:
        settings = load_settings(diffuser_model_name="demo", broker_url=redis.url)
        with Flower(settings, tmp_path, 0, said.append) as flower:
            for _ in range(2):
                flower.start()
                flower.announce(redis.check)
            (sentence,) = said
            (url,) = (word for word in sentence.split() if word.startswith("http://127.0.0.1:"))
            with urllib.request.urlopen(url, timeout=20) as page:  # noqa: S310 - loopback
                assert b"Flower" in page.read()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=20)  # noqa: S310 - loopback


def test_a_port_that_is_taken_is_told_before_anything_begins() -> None:
    """With the option that names another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RunError, match=rf"^Flower cannot have the port {port} \(Address already in use\); name"):
            require_flower(port)
    require_flower(port)


def test_where_it_is_not_installed_it_is_said_how(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence names the extra; whoever does not want it needs none."""
    monkeypatch.setitem(sys.modules, "flower", None)
    with pytest.raises(RunError, match=r"with its monitor extra \(pip install '\.\[monitor\]'\)"):
        require_flower(0)
    require_flower(None)


def test_one_that_ends_is_told_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where its own settings are wrong: the log says why."""
    monkeypatch.setenv("FLOWER_MAX_TASKS", "many")
    settings = load_settings(diffuser_model_name="demo", broker_url="redis+socket:///absent/redis.sock")
    with Flower(settings, tmp_path, 0, print) as flower:
        flower.start()
        with pytest.raises(RunError, match=r"^Flower ended \(exit code 1\); see .*/flower\.log\.$"):
            flower.announce(lambda: None)
    assert "many" in (tmp_path / "flower.log").read_text()
