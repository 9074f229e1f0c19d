"""`producer exporter`: real queues and runs, as Prometheus reads them."""

import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice

import pytest
from prometheus_client.registry import Collector

from producer.exporting.metrics import METRICS, FleetCollector
from producer.run.ledger import Ledger
from tests.support.cli import CLI
from tests.support.scraping import Samples, named, samples_of, scrape
from tests.support.sending import send
from tests.support.servers import free_port
from tests.support.waiting import wait_until
from worker.contract.messages import Outcome, queue_name
from worker.contract.outcomes import OutcomeStream, open_redis
from worker.metrics.endpoint import new_registry
from worker.settings.fleet import load_settings

QUEUE = named("fleet_queue_rows", queue=queue_name("demo"), model="demo")


@pytest.fixture
def sent(cli: CLI) -> CLI:
    """Send four rows that nobody takes."""
    send(cli, ["Make it red."] * 4, "--detach", images=["a.png", "b.png", "c.png", "d.png"])
    return cli


def look(*collectors: Collector) -> Samples:
    """Ask for everything once."""
    registry = new_registry()
    for collector in collectors:
        registry.register(collector)
    return samples_of(registry)


def collector_of(cli: CLI, clock: Callable[[], float] = time.monotonic) -> FleetCollector:
    """Look at the run `r` and its broker."""
    settings = load_settings(diffuser_model_name="demo", broker_url=cli.settings["broker_url"])
    return FleetCollector(settings, [cli.folder], broker_url=settings.broker_url, clock=clock)


def whose(cli: CLI) -> dict[str, str]:
    """Return the labels of the run `r`."""
    with Ledger(cli.folder / "r", read_only=True) as ledger:
        return {"run": ledger.run, "folder": str(cli.folder / "r")}


def rows(found: Samples) -> dict[str, float]:
    """Return the run's rows by state; none that is empty."""
    pattern = re.compile(r'fleet_run_rows\{.*state="(\w+)"\}')
    return {match[1]: n for sample, n in found.items() if n and (match := pattern.match(sample))}


def answer(cli: CLI, n: int) -> None:
    """Answer the first rows of the run `r`, as a worker does."""
    stream = OutcomeStream(open_redis(str(cli.settings["broker_url"])), whose(cli)["run"])
    with Ledger(cli.folder / "r", read_only=True) as ledger:
        for record in islice(ledger.records(), n):
            fingerprint = record.fingerprint or ""
            stream.append(
                Outcome(run=ledger.run, row=record.row, fingerprint=fingerprint, status="failed", error="x", worker="w")
            )


@contextmanager
def exporting(cli: CLI, *args: object) -> Iterator[int]:
    """Run the command until the end of the block; it ends with 0. Yields its port."""
    port = free_port()
    process = cli.begin("exporter", "--port", port, *args)
    try:
        wait_until(lambda: process.poll() is not None or _answers(port), "the exporter answers")
        yield port
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def test_the_command_shows_queue_and_runs(sent: CLI) -> None:
    """The queue's depth, the rows by state, and that nothing moves; of a folder that holds runs."""
    with exporting(sent, ".") as port:
        found = scrape(port)
    assert found["fleet_broker_up"] == 1
    assert found[QUEUE] == 4
    assert found[named("fleet_run_queue_rows", **{**whose(sent), "folder": "r"})] == 4
    assert found["fleet_broker_rows_in_hand"] == 0
    assert rows(found) == {"waiting": 4}


def test_answers_are_counted_before_anybody_collects_them(sent: CLI) -> None:
    """The stream holds what the ledger does not yet: with it the run's pace is right without a collector."""
    collector = collector_of(sent)
    answer(sent, 1)
    assert rows(look(collector)) == {"waiting": 3, "uncollected": 1}
    assert sent("collect", "r", "--no-wait").returncode == 4
    assert rows(look(collector)) == {"waiting": 3, "failed": 1}


def test_the_time_left_follows_from_the_pace(sent: CLI) -> None:
    """It is measured between two looks, and there is none before."""
    who, now = whose(sent), [0.0]
    left = named("fleet_run_seconds_left", **who)
    collector = collector_of(sent, clock=lambda: now[0])
    assert left not in look(collector)
    answer(sent, 2)
    now[0] = 40.0
    found = look(collector)
    assert found[named("fleet_run_rows_per_second", **who)] == 2 / 40
    assert found[left] == 2 * 20


def test_a_cancelled_run_says_so(sent: CLI) -> None:
    """So that nobody is woken for a run that stands still on purpose."""
    cancelled = named("fleet_run_cancelled", **whose(sent))
    collector = collector_of(sent)
    assert look(collector)[cancelled] == 0
    assert sent("cancel", "r").returncode == 0
    found = look(collector)
    assert found[cancelled] == 1
    assert found[QUEUE] == 0


def test_a_broker_that_is_away_leaves_what_the_ledger_knows(sent: CLI) -> None:
    """The page still answers, and says that the broker does not."""
    settings = load_settings(diffuser_model_name="demo", broker_url=f"redis://127.0.0.1:{free_port()}/0")
    found = look(FleetCollector(settings, [sent.folder], broker_url=settings.broker_url))
    assert found["fleet_broker_up"] == 0
    assert QUEUE not in found
    assert rows(found) == {"waiting": 4}


def test_a_folder_that_cannot_be_read_is_named(sent: CLI) -> None:
    """One damaged ledger costs no other run its numbers."""
    (sent.folder / "bad").mkdir()
    (sent.folder / "bad/run.sqlite").write_text("no database, and long enough to look like one")
    found = look(collector_of(sent))
    assert found[named("fleet_run_readable", folder=str(sent.folder / "bad"))] == 0
    assert found[named("fleet_run_readable", folder=str(sent.folder / "r"))] == 1
    assert rows(found) == {"waiting": 4}


def test_every_metric_is_named_without_a_look(cli: CLI) -> None:
    """Registering it asks no broker."""
    assert [family.name for family in collector_of(cli).describe()] == [*METRICS]


def test_a_taken_port_is_one_sentence(cli: CLI) -> None:
    """Exit code 1, the option and its variable, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = cli("exporter", "--port", port)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"Error: --port / FLEET_METRICS_PORT: {port} on 127.0.0.1 is taken; set another, one for each process of a"
        " machine.\n"
    )


def test_a_folder_that_is_not_there_is_one_sentence(cli: CLI) -> None:
    """Before anything is opened."""
    refused = cli("exporter", "absent", "--port", free_port())
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: There is no folder absent; name a run's folder")
    assert refused.stderr.count("\n") == 1
