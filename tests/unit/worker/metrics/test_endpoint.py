"""The endpoint answers on the address that was asked for, or is refused in one sentence."""

import socket
from collections.abc import Iterator

import pytest
from prometheus_client import Counter

from tests.support.scraping import scrape
from tests.support.servers import free_port
from worker.contract.errors import SettingsError
from worker.metrics.endpoint import new_registry, serve
from worker.metrics.observer import Observer
from worker.metrics.opening import open_metrics
from worker.metrics.prometheus import WorkerMetrics
from worker.settings.fleet import load_settings


@pytest.fixture
def taken() -> Iterator[int]:
    """Listen on a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_what_is_in_the_registry_is_shown_and_nothing_else() -> None:
    """Neither the library's own metrics nor the times at which counters began are among it."""
    registry, port = new_registry(), free_port()
    Counter("some", "Some.", registry=registry).inc()
    serve(registry, address="127.0.0.1", port=port)
    assert scrape(port) == {"some_total": 1}


def test_a_taken_port_is_one_sentence(taken: int) -> None:
    """It names the setting and says what to do."""
    with pytest.raises(SettingsError) as refused:
        serve(new_registry(), address="127.0.0.1", port=taken)
    assert str(refused.value) == (
        f"FLEET_METRICS_PORT: {taken} on 127.0.0.1 is taken; set another, one for each process of a machine."
    )


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("203.0.113.1", "203.0.113.1 is no address of this machine"),  # kept for documentation: nobody has it
        ("no such", "no such is no address"),
    ],
)
def test_a_wrong_address_is_one_sentence(address: str, sentence: str) -> None:
    """An address of another machine, or none at all, is named."""
    with pytest.raises(SettingsError, match=f"^FLEET_METRICS_ADDRESS: {sentence}"):
        serve(new_registry(), address=address, port=free_port())


def test_a_worker_without_a_port_opens_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever does not want metrics has no endpoint, and an observer that makes nothing of what it is told."""
    opened: list[object] = []
    monkeypatch.setattr(socket.socket, "bind", lambda *_: opened.append(_))
    observer = open_metrics(load_settings(diffuser_model_name="demo"))
    assert type(observer) is Observer
    assert opened == []


def test_a_worker_says_where_its_metrics_are(caplog: pytest.LogCaptureFixture) -> None:
    """One line of its log is the address to give to Prometheus."""
    caplog.set_level("INFO")
    port = free_port()
    observer = open_metrics(load_settings(diffuser_model_name="demo", metrics_port=port))
    assert isinstance(observer, WorkerMetrics)
    assert caplog.messages == [f"metrics at http://127.0.0.1:{port}/metrics"]
    assert scrape(port)["fleet_worker_ready"] == 0


def test_a_worker_ends_where_its_port_is_taken(taken: int, caplog: pytest.LogCaptureFixture) -> None:
    """The sentence is the last word of its log, and the exit code is that of every refusal at the start."""
    with pytest.raises(SystemExit) as ended:
        open_metrics(load_settings(diffuser_model_name="demo", metrics_port=taken))
    assert ended.value.code == 1
    (sentence,) = caplog.messages
    assert sentence.startswith(f"FLEET_METRICS_PORT: {taken} on 127.0.0.1 is taken; ")
