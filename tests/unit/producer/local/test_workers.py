"""What `producer run` gives to the workers that it starts."""

import os
import subprocess
from pathlib import Path

from producer.local.workers import LocalWorkers
from worker.settings.fleet import load_settings


def environments() -> list[dict[str, str]]:
    """Return the environments of the processes that this one has started, in the order of their start."""
    listed = ["/bin/ps", "-ww", "--ppid", str(os.getpid()), "-o", "pid=", "-o", "args=", "--sort", "pid"]
    lines = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.splitlines()
    pids = [line.split()[0] for line in lines if " -A worker worker " in line]
    texts = [Path(f"/proc/{pid}/environ").read_text().split("\0") for pid in pids]
    return [dict(entry.partition("=")[::2] for entry in text) for text in texts]


def test_each_worker_has_a_port_of_its_own(tmp_path: Path) -> None:
    """The first has the port that was set, the others those after it; whoever sets none opens none."""
    settings = load_settings(diffuser_model_name="demo", metrics_port=9821)
    with LocalWorkers(settings, tmp_path, ["", ""], print) as workers:
        workers.start()
        assert [found["FLEET_METRICS_PORT"] for found in environments()] == ["9821", "9822"]
    with LocalWorkers(load_settings(diffuser_model_name="demo"), tmp_path, [""], print) as workers:
        workers.start()
        assert ["FLEET_METRICS_PORT" in found for found in environments()] == [False]
