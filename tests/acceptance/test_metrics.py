"""A real worker's metrics, as Prometheus reads them."""

import socket

from tests.conftest import Start
from tests.support.cli import CLI
from tests.support.scraping import named, scrape
from tests.support.sending import send
from tests.support.servers import free_port
from tests.support.waiting import wait_until
from worker.metrics.failures import FailureKind
from worker.metrics.prometheus import STAGES


def test_a_worker_counts_what_it_does(cli: CLI, start_plain: Start) -> None:
    """Images, failures by kind, micro-batches, seconds by stage, the load, and what it has in hand at the end."""
    port = free_port()
    worker = start_plain(metrics_port=port)
    (cli.folder / "none.png").write_text("no picture")
    send(cli, ["Make it red."] * 6, images=["a.png", "b.png", "c.png", "d.png", "e.png", "none.png"])
    worker.wait_until_ready()
    assert cli("collect", "r").returncode == 3
    found = scrape(port)
    assert found["fleet_worker_ready"] == 1
    assert found["fleet_worker_images_total"] == 5
    assert found[named("fleet_worker_rows_total", outcome="done")] == 5
    assert found[named("fleet_worker_rows_total", outcome="failed")] == 1
    assert found[named("fleet_worker_failures_total", kind=FailureKind.ROW)] == 1
    assert found["fleet_worker_batch_rows_sum"] == 5
    assert found["fleet_worker_batch_places_total"] >= 5
    seconds = {stage: found[named("fleet_worker_stage_seconds_count", stage=stage)] for stage in STAGES}
    assert seconds == {"decode": 6, "wait": 5, "model": 5, "encode": 5}
    assert 0 <= found["fleet_worker_busy_ratio"] <= 1
    wait_until(lambda: scrape(port)["fleet_worker_rows_in_hand"] == 0, "every row is acknowledged")
    assert found[named("fleet_worker_model_load_seconds", part="warm-up")] >= 0
    assert found["process_resident_memory_bytes"] > 0
    assert not [sample for sample in found if sample.startswith("fleet_worker_gpu_memory_bytes")], "on a CPU"


def test_a_taken_port_ends_a_worker_before_its_model_is_loaded(start_plain: Start) -> None:
    """The worker says so in its last line, and exits as at every refusal."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        worker = start_plain(metrics_port=port)
        assert worker.process.wait(60) == 1
    (last,) = (line for line in worker.lines() if "CRITICAL" in line)
    assert f"FLEET_METRICS_PORT: {port} on 127.0.0.1 is taken; set another, one for each process" in last
    assert not worker.logged("model ready")
    assert not worker.logged("Traceback")
